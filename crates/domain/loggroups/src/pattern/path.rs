//! Places in JSON messages: `$.users[0].name`.

use std::{borrow::Cow, fmt};

use serde_json::Value;

use super::{invalid, scan::Scan};
use crate::Error;

/// A path to a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

impl Path {
    /// The path that comes next.
    pub fn parse(scan: &mut Scan<'_>) -> Result<Self, Error> {
        let none = |scan: &Scan<'_>| invalid(&format!("expected a property at {:?}", scan.near()));
        if !scan.take("$") {
            return Err(none(scan));
        }
        let mut path = Vec::new();
        loop {
            let separator = scan.run(|c| c == '.');
            if separator == "." {
                let name = scan.run(|c| c.is_alphanumeric() || c == '_' || c == '-');
                if name.is_empty() {
                    return Err(none(scan));
                }
                path.push(Step::Member(name.to_owned()));
            } else if !separator.is_empty() {
                return Err(none(scan));
            } else if scan.run(|c| c == '[') == "[" {
                let index = scan.run(|c| c.is_ascii_digit()).parse();
                let index = index.map_err(|_| invalid("an index of an array is a number"))?;
                path.push(Step::Element(index));
                if scan.run(|c| c == ']') != "]" {
                    return Err(none(scan));
                }
            } else {
                break;
            }
        }
        match path.is_empty() {
            true => Err(none(scan)),
            false => Ok(Self(path)),
        }
    }

    /// The value there.
    pub fn find<'a>(&self, message: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(message, |value, step| match step {
            Step::Member(name) => value.get(name),
            Step::Element(index) => value.get(index),
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        self.0.iter().try_for_each(|step| match step {
            Step::Member(name) => write!(f, ".{name}"),
            Step::Element(index) => write!(f, "[{index}]"),
        })
    }
}

/// A value as it is compared; none of a null, a list or an object.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Number(number) => Some(number.to_string().into()),
        Value::Bool(truth) => Some(truth.to_string().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
