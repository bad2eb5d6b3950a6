//! Values written: as bytes by serde, and as a tree.

use headwater_items::{Item, Value};
use headwater_shapes::{Blob, Tree, value::Members};
use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{AttributeValue, Read};

impl Serialize for AttributeValue {
    /// What is no value is written as one that says nothing.
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(Read { value, .. }) => Shown(value).serialize(to),
            Err(_) => to.serialize_map(Some(0))?.end(),
        }
    }
}

/// A value by serde.
struct Shown<'a>(&'a Value);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(1))?;
        match self.0 {
            Value::String(text) => map.serialize_entry("S", text),
            Value::Number(number) => map.serialize_entry("N", &number.to_string()),
            Value::Binary(bytes) => map.serialize_entry("B", &Blob(bytes.clone())),
            Value::Bool(bool) => map.serialize_entry("BOOL", bool),
            Value::Null => map.serialize_entry("NULL", &true),
            Value::List(values) => {
                let values: Vec<Shown<'_>> = values.iter().map(Shown).collect();
                map.serialize_entry("L", &values)
            }
            Value::Map(item) => map.serialize_entry("M", &ShownItem(item)),
            Value::StringSet(set) => map.serialize_entry("SS", set),
            Value::NumberSet(set) => {
                let texts: Vec<String> = set.iter().map(ToString::to_string).collect();
                map.serialize_entry("NS", &texts)
            }
            Value::BinarySet(set) => {
                let blobs: Vec<Blob> = set.iter().map(|bytes| Blob(bytes.clone())).collect();
                map.serialize_entry("BS", &blobs)
            }
        }?;
        map.end()
    }
}

/// Attributes by serde.
struct ShownItem<'a>(&'a Item);

impl Serialize for ShownItem<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(name, value)| (name, Shown(value))))
    }
}

/// A value as a tree.
pub(crate) fn tree(value: &AttributeValue) -> headwater_shapes::Value {
    let mut members = Members::new();
    if let Ok(Read { value, .. }) = &value.0 {
        let (kind, shown) = shown(value);
        members.insert(kind.to_owned(), shown);
    }
    members.into()
}

/// The kind of a value, and what stands behind it in a tree.
fn shown(value: &Value) -> (&'static str, headwater_shapes::Value) {
    let one = |value: &Value| {
        let (kind, shown) = shown(value);
        headwater_shapes::Value::from(Members::from_iter([(kind.to_owned(), shown)]))
    };
    let text = |number: &headwater_items::Number| number.to_string().into();
    match value {
        Value::String(text) => ("S", text.as_str().into()),
        Value::Number(number) => ("N", text(number)),
        Value::Binary(bytes) => ("B", Blob(bytes.clone()).to_value()),
        Value::Bool(bool) => ("BOOL", (*bool).into()),
        Value::Null => ("NULL", true.into()),
        Value::List(values) => ("L", values.iter().map(one).collect()),
        Value::Map(item) => {
            let members = item.iter().map(|(name, value)| (name.clone(), one(value)));
            ("M", Members::from_iter(members).into())
        }
        Value::StringSet(set) => ("SS", set.iter().map(String::as_str).collect()),
        Value::NumberSet(set) => ("NS", set.iter().map(text).collect()),
        Value::BinarySet(set) => {
            let blobs = set.iter().map(|bytes| Blob(bytes.clone()).to_value());
            ("BS", blobs.collect())
        }
    }
}
