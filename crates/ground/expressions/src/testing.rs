//! What tests are written with.

use std::collections::BTreeMap;

use headwater_items::{Item, Value};

use crate::{Placeholders, Projection};

/// An item out of names and values.
pub fn item<'a>(attributes: impl IntoIterator<Item = (&'a str, Value)>) -> Item {
    attributes
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

pub fn map<'a>(attributes: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Map(item(attributes))
}

pub fn list(values: impl IntoIterator<Item = Value>) -> Value {
    Value::List(values.into_iter().collect())
}

pub fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub fn bytes(bytes: &[u8]) -> Value {
    Value::Binary(bytes.to_vec().into())
}

pub fn number(number: &str) -> Value {
    Value::Number(number.parse().expect("a number"))
}

pub fn texts(texts: &[&str]) -> Value {
    Value::StringSet(texts.iter().map(|&text| text.to_owned()).collect())
}

pub fn numbers(numbers: &[&str]) -> Value {
    let numbers = numbers
        .iter()
        .map(|number| number.parse().expect("a number"));
    Value::NumberSet(numbers.collect())
}

pub fn blobs(blobs: &[&[u8]]) -> Value {
    Value::BinarySet(blobs.iter().map(|blob| blob.to_vec().into()).collect())
}

/// The projection that a text means.
pub fn paths(text: &str) -> Projection {
    crate::projection(text, &mut Placeholders::default()).expect("paths")
}

/// Values by their placeholders: one of each kind, some in two forms. `names` are pairs of placeholder and name.
pub fn placeholders(names: &[(&str, &str)]) -> Placeholders {
    let names = names
        .iter()
        .map(|&(key, name)| (key.to_owned(), name.to_owned()))
        .collect();
    let values: BTreeMap<String, Value> = item([
        (":s", text("s")),
        (":t", text("t")),
        (":kind", text("SS")),
        (":n", number("1")),
        (":two", number("2")),
        (":b", bytes(b"b")),
        (":bool", Value::Bool(true)),
        (":null", Value::Null),
        (":l", list([text("l")])),
        (":m", map([("x", text("m"))])),
        (":ss", texts(&["a", "b"])),
        (":ns", numbers(&["1", "2"])),
        (":bs", blobs(&[b"a", b"b"])),
    ]);
    Placeholders::new(names, values)
}
