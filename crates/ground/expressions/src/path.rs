//! The way to a value inside an item, and the parts of an item that a projection keeps.

use headwater_items::{Item, Value};

/// The way to a value: an attribute of the item, and steps into it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    /// The attribute.
    pub root: String,
    /// The steps from there.
    pub steps: Vec<Step>,
}

/// A step into a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a map.
    Field(String),
    /// Into a list.
    Index(usize),
}

/// The parts of items that are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Projection(pub Vec<Path>);

impl Path {
    /// The value there.
    pub fn find<'a>(&self, _item: &'a Item) -> Option<&'a Value> {
        todo!()
    }
}

impl Projection {
    /// The wanted parts of an item; elements of lists come one behind the other.
    pub fn of(&self, _item: &Item) -> Item {
        todo!()
    }
}
