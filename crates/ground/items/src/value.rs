//! A value of an attribute, and an item.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::Number;

/// Attributes by their names.
pub type Item = BTreeMap<String, Value>;

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// `S`.
    String(String),
    /// `N`.
    Number(Number),
    /// `B`.
    Binary(Bytes),
    /// `BOOL`.
    Bool(bool),
    /// `NULL`.
    Null,
    /// `L`.
    List(Vec<Value>),
    /// `M`.
    Map(Item),
    /// `SS`; never empty.
    StringSet(BTreeSet<String>),
    /// `NS`; never empty.
    NumberSet(BTreeSet<Number>),
    /// `BS`; never empty.
    BinarySet(BTreeSet<Bytes>),
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `S`.
    String,
    /// `N`.
    Number,
    /// `B`.
    Binary,
    /// `BOOL`.
    Bool,
    /// `NULL`.
    Null,
    /// `L`.
    List,
    /// `M`.
    Map,
    /// `SS`.
    StringSet,
    /// `NS`.
    NumberSet,
    /// `BS`.
    BinarySet,
}

impl Value {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::String(_) => Kind::String,
            Self::Number(_) => Kind::Number,
            Self::Binary(_) => Kind::Binary,
            Self::Bool(_) => Kind::Bool,
            Self::Null => Kind::Null,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::StringSet(_) => Kind::StringSet,
            Self::NumberSet(_) => Kind::NumberSet,
            Self::BinarySet(_) => Kind::BinarySet,
        }
    }

    /// Its bytes as AWS counts them, without the name of its attribute. (Source: the developer guide, "DynamoDB item
    /// sizes and formats".)
    pub fn size(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Number(number) => number.size(),
            Self::Binary(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::List(values) => 3 + values.iter().map(|value| 1 + value.size()).sum::<usize>(),
            Self::Map(item) => 3 + item_size(item) + item.len(),
            Self::StringSet(set) => set.iter().map(String::len).sum(),
            Self::NumberSet(set) => set.iter().map(Number::size).sum(),
            Self::BinarySet(set) => set.iter().map(Bytes::len).sum(),
        }
    }
}

/// The bytes of an item as AWS counts them: its names and its values.
pub fn item_size(item: &Item) -> usize {
    item.iter()
        .map(|(name, value)| name.len() + value.size())
        .sum()
}
