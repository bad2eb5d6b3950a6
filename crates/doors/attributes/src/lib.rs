//! The values of attributes as DynamoDB's requests and answers have them: `{"S": "a"}`.
//!
//! The one type of the generated shapes that is written by hand, since a value is read straight into what tables are made
//! of, without a structure of all kinds between. Owns how a value looks on the wire and which values are none, with AWS's
//! texts; leaves to the door when it says so, and which values may be keys.

mod fault;
mod read;
mod write;

use headwater_items::{Item, Value};
use headwater_shapes::{Shape, check::Check};

pub use fault::Fault;

/// How deep a value may stand in an item, itself counted. (Source: the developer guide, "Quotas in Amazon DynamoDB".)
const DEPTH: u8 = 32;

/// The value of an attribute as it was sent: a value, or why it is none. AWS says so only when the value's turn has come
/// among its checks, so that it is kept until then.
#[derive(Debug, Clone, PartialEq)]
pub struct AttributeValue(Result<Read, Fault>);

/// A value, and how deep its deepest part stands in it.
#[derive(Debug, Clone, PartialEq)]
struct Read {
    value: Value,
    depth: u8,
}

impl AttributeValue {
    /// The value.
    ///
    /// # Errors
    /// What was sent is none.
    pub fn into_value(self) -> Result<Value, Fault> {
        let Read { value, depth } = self.0?;
        match depth <= DEPTH {
            true => Ok(value),
            false => Err(Fault::TooDeep),
        }
    }

    /// Attributes with their values.
    ///
    /// # Errors
    /// One of them has none.
    pub fn into_item(attributes: impl IntoIterator<Item = (String, Self)>) -> Result<Item, Fault> {
        // One by one: collecting sorts them first, which is slower where they are few.
        let mut item = Item::new();
        for (name, value) in attributes {
            item.insert(name, value.into_value()?);
        }
        Ok(item)
    }
}

impl From<Value> for AttributeValue {
    /// The value, to be shown.
    fn from(value: Value) -> Self {
        Self(Ok(Read { value, depth: 1 }))
    }
}

impl Check for AttributeValue {
    /// The model restricts no value.
    fn check(&self, _shape: &Shape) -> bool {
        true
    }
}
