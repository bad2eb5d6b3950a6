//! Attributes as they were sent and as they are shown.

use std::collections::BTreeMap;

use headwater_attributes::{AttributeValue, Fault};
use headwater_items::{Item, Value};
use headwater_wire::ApiError;

use crate::{errors::validation, items::limits::NAME_BYTES};

/// Attributes as requests and answers have them.
pub(crate) type Attributes = BTreeMap<String, AttributeValue>;

/// The item that was sent.
///
/// # Errors
/// A name cannot be one, or a value is none.
pub(crate) fn item(sent: Attributes) -> Result<Item, ApiError> {
    sent.keys().try_for_each(|name| check_name(name))?;
    AttributeValue::into_item(sent).map_err(refused)
}

/// The value that was sent.
///
/// # Errors
/// It is none.
pub(crate) fn value(sent: AttributeValue) -> Result<Value, ApiError> {
    sent.into_value().map_err(refused)
}

/// The values that were sent.
///
/// # Errors
/// One is none.
pub(crate) fn values(sent: Vec<AttributeValue>) -> Result<Vec<Value>, ApiError> {
    sent.into_iter().map(value).collect()
}

/// An item as answers show it.
pub(crate) fn shown(item: Item) -> Attributes {
    // One by one: collecting sorts them first, which is slower where they are few.
    let mut shown = Attributes::new();
    for (name, value) in item {
        shown.insert(name, value.into());
    }
    shown
}

/// Whether an attribute can have this name.
pub(crate) fn check_name(name: &str) -> Result<(), ApiError> {
    name_fault(name).map_or(Ok(()), |fault| Err(validation(fault)))
}

/// Why no attribute can have this name, in AWS's words.
pub(crate) fn name_fault(name: &str) -> Option<&'static str> {
    match name.len() {
        0 => Some("Empty attribute name"),
        1..=NAME_BYTES => None,
        _ => Some("Attribute name is too large, must be less than 65536 bytes"),
    }
}

fn refused(fault: Fault) -> ApiError {
    validation(fault.to_string())
}
