//! Texts become trees.

use std::collections::BTreeMap;

use headwater_items::Value;

use crate::{Condition, KeyCondition, Projection, Update};

/// Why a text is refused: AWS's words behind "Invalid …Expression: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// What `#names` and `:values` of a request's expressions stand for, and which of them were used.
#[derive(Debug, Default)]
pub struct Placeholders {
    names: BTreeMap<String, (String, bool)>,
    values: BTreeMap<String, (Value, bool)>,
}

impl Placeholders {
    /// The placeholders of a request; names with their `#`, values with their `:`.
    pub fn new(names: BTreeMap<String, String>, values: BTreeMap<String, Value>) -> Self {
        Self {
            names: names.into_iter().map(|(key, name)| (key, (name, false))).collect(),
            values: values.into_iter().map(|(key, value)| (key, (value, false))).collect(),
        }
    }

    /// The names that no expression used, in order.
    pub fn unused_names(&self) -> Vec<&str> {
        self.names.iter().filter(|(_, (_, used))| !used).map(|(key, _)| key.as_str()).collect()
    }

    /// The values that no expression used, in order.
    pub fn unused_values(&self) -> Vec<&str> {
        self.values.iter().filter(|(_, (_, used))| !used).map(|(key, _)| key.as_str()).collect()
    }
}

/// The condition or filter that a text means.
///
/// # Errors
/// When it means none.
pub fn condition(_text: &str, _placeholders: &mut Placeholders) -> Result<Condition, Invalid> {
    todo!()
}

/// The update that a text means.
///
/// # Errors
/// When it means none.
pub fn update(_text: &str, _placeholders: &mut Placeholders) -> Result<Update, Invalid> {
    todo!()
}

/// The projection that a text means.
///
/// # Errors
/// When it means none.
pub fn projection(_text: &str, _placeholders: &mut Placeholders) -> Result<Projection, Invalid> {
    todo!()
}

/// The key condition that a text means; `partition` and `sort` are the names of the key's attributes.
///
/// # Errors
/// When it means none.
pub fn key_condition(
    _text: &str,
    _placeholders: &mut Placeholders,
    _partition: &str,
    _sort: Option<&str>,
) -> Result<KeyCondition, Invalid> {
    todo!()
}
