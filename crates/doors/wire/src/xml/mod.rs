//! XML bodies: a small tree, and its way from and to values along the shapes' tables.
//!
//! Reading ignores namespaces, refuses document types (and with them every entity but the five predefined ones and
//! character references), and bounds depth and number of elements. The caller bounds the body's size.

mod parse;
mod read;
mod write;

pub use parse::parse;
pub(crate) use read::{read, read_root};
pub(crate) use write::{Writer, write, write_root};

/// An element with what is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Its name without a prefix.
    pub name: String,
    /// Its attributes by their full names.
    pub attributes: Vec<(String, String)>,
    /// All text directly in it.
    pub text: String,
    /// The elements directly in it.
    pub children: Vec<Element>,
}

/// Why a text is not the XML that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// It is not well-formed, or uses what is refused here.
    #[error("not well-formed: {0}")]
    Syntax(String),
    /// It is deeper or has more in it than any shape.
    #[error("more elements or attributes, or deeper ones, than any shape has")]
    TooMuch,
    /// The root has another name.
    #[error("the root is {found} instead of {expected}")]
    Root {
        /// The name that it has.
        found: String,
        /// The name that it should have.
        expected: &'static str,
    },
    /// An element's text is not of its type.
    #[error("{element} is not {expected}")]
    Scalar {
        /// The element's name.
        element: String,
        /// The type that its text should have.
        expected: &'static str,
    },
}

impl Element {
    /// The first child of a name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of a name.
    pub fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.as_str())
    }
}
