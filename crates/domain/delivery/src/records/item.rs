//! A record that goes on, and the keys that it is partitioned by.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;

use super::user_record::SharedRecord;

/// A record that goes on.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The record as it was read.
    pub origin: SharedRecord,
    /// Its data now.
    pub data: Bytes,
    /// Its partition keys.
    pub keys: Keys,
}

/// Partition keys of one record, by who gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Keys {
    /// From a query: `!{partitionKeyFromQuery:name}`.
    pub query: BTreeMap<String, String>,
    /// From the function: `!{partitionKeyFromLambda:name}`.
    pub lambda: BTreeMap<String, String>,
}

/// A partition key as text: scalars have one, and what has none, or an empty one, is no key.
pub fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        _ => None,
    }
}
