//! Kinds of values by their letters, and which of them a key's attribute has.

use headwater_items::{Kind, Value};
use headwater_tables::KeyKind;

/// The letters of a kind: `S` of `{"S": "a"}`.
pub(crate) fn letters(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "S",
        Kind::Number => "N",
        Kind::Binary => "B",
        Kind::Bool => "BOOL",
        Kind::Null => "NULL",
        Kind::List => "L",
        Kind::Map => "M",
        Kind::StringSet => "SS",
        Kind::NumberSet => "NS",
        Kind::BinarySet => "BS",
    }
}

/// The kind of the values of a key's attribute.
pub(crate) fn of_key(kind: KeyKind) -> Kind {
    match kind {
        KeyKind::String => Kind::String,
        KeyKind::Number => Kind::Number,
        KeyKind::Binary => Kind::Binary,
    }
}

/// The bytes of a value that may be one of a key; numbers have no bound.
pub(crate) fn key_bytes(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Binary(bytes) => Some(bytes.len()),
        _ => None,
    }
}
