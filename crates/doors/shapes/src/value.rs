//! Typed structures as trees of values: the one form that every protocol's body is read into and written from.
//!
//! A tree's keys are wire names, its blobs are base64 and its times are seconds, as in AWS JSON. The form of a body in
//! JSON, CBOR, XML or a query is the `wire` crate's; here is only the step between tree and type, kept small because
//! there is one of it for each structure of each service.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Number, Value};

use crate::{Blob, Timestamp};

/// A type that a tree of values can be read into and written from.
pub trait Tree: Sized {
    /// Reads a value.
    ///
    /// # Errors
    /// When the value is of another type. Whether it keeps its constraints is not asked here.
    fn from_value(value: Value) -> Result<Self, Unfit>;

    /// Writes the value.
    fn to_value(&self) -> Value;
}

/// The reason that a value does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// A member that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value is of another type.
    #[error("a value is not {0}")]
    Type(&'static str),
}

/// The members of a structure's tree.
#[doc(hidden)]
pub fn members(value: Value) -> Result<Map<String, Value>, Unfit> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Unfit::Type("a structure")),
    }
}

/// A member that need not be there.
#[doc(hidden)]
pub fn optional<T: Tree>(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<Option<T>, Unfit> {
    match members.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => T::from_value(value).map(Some),
    }
}

/// A member that must be there.
#[doc(hidden)]
pub fn required<T: Tree>(members: &mut Map<String, Value>, name: &'static str) -> Result<T, Unfit> {
    optional(members, name)?.ok_or(Unfit::Missing(name))
}

/// A member of an answer that a server may have left out although it must be there.
#[doc(hidden)]
pub fn lenient<T: Tree + Default>(
    members: &mut Map<String, Value>,
    name: &'static str,
) -> Result<T, Unfit> {
    optional(members, name).map(Option::unwrap_or_default)
}

/// Writes a member.
#[doc(hidden)]
pub fn put(members: &mut Map<String, Value>, name: &'static str, value: Value) {
    members.insert(name.to_owned(), value);
}

/// Makes a structure a [`Tree`]: for each field how it is read, its wire name and itself; fields behind a `;` are not
/// in the tree.
#[macro_export]
macro_rules! tree {
    ($name:ident { $($how:ident $key:literal $field:ident),* $(,)? $(; $($other:ident),*)? }) => {
        impl $crate::Tree for $name {
            fn from_value(value: $crate::Value) -> Result<Self, $crate::Unfit> {
                #[allow(unused_mut, unused_variables, reason = "a structure may have no members")]
                let mut members = $crate::value::members(value)?;
                Ok(Self {
                    $($field: $crate::value::$how(&mut members, $key)?,)*
                    $($($other: Default::default(),)*)?
                })
            }

            fn to_value(&self) -> $crate::Value {
                #[allow(unused_mut, reason = "a structure may have no members")]
                let mut members = $crate::value::Members::new();
                $($crate::tree!(@write $how members, $key, self.$field);)*
                $crate::Value::Object(members)
            }
        }
    };
    (@write optional $members:ident, $key:literal, $value:expr) => {
        if let Some(value) = &$value {
            $crate::value::put(&mut $members, $key, $crate::Tree::to_value(value));
        }
    };
    (@write $how:ident $members:ident, $key:literal, $value:expr) => {
        $crate::value::put(&mut $members, $key, $crate::Tree::to_value(&$value));
    };
}

/// The members of a tree, by wire name.
pub type Members = Map<String, Value>;

impl Tree for String {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(Unfit::Type("a text")),
        }
    }

    fn to_value(&self) -> Value {
        self.as_str().into()
    }
}

impl Tree for bool {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        value.as_bool().ok_or(Unfit::Type("true or false"))
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl Tree for i32 {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        let number = value.as_i64().and_then(|number| number.try_into().ok());
        number.ok_or(Unfit::Type("an integer"))
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl Tree for i64 {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        value.as_i64().ok_or(Unfit::Type("a long integer"))
    }

    fn to_value(&self) -> Value {
        (*self).into()
    }
}

impl Tree for f32 {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        f64::from_value(value).map(|number| number as f32)
    }

    fn to_value(&self) -> Value {
        f64::from(*self).to_value()
    }
}

impl Tree for f64 {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::Number(number) => number.as_f64().ok_or(Unfit::Type("a number")),
            Value::String(text) => not_finite(&text).ok_or(Unfit::Type("a number")),
            _ => Err(Unfit::Type("a number")),
        }
    }

    fn to_value(&self) -> Value {
        // JSON has no numbers for these: AWS writes them as texts.
        let other = match self {
            number if number.is_nan() => "NaN",
            number if *number > 0.0 => "Infinity",
            _ => "-Infinity",
        };
        Number::from_f64(*self).map_or_else(|| other.into(), Value::Number)
    }
}

fn not_finite(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

impl Tree for Blob {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        bytes.map(Self::from).ok_or(Unfit::Type("base64"))
    }

    fn to_value(&self) -> Value {
        STANDARD.encode(&self.0).into()
    }
}

impl Tree for Timestamp {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        let seconds = value.as_f64().ok_or(Unfit::Type("a time"))?;
        Ok(Self((seconds * 1000.0).round() as i64))
    }

    fn to_value(&self) -> Value {
        match self.0 % 1000 {
            0 => (self.0 / 1000).into(),
            _ => (self.0 as f64 / 1000.0).into(),
        }
    }
}

impl Tree for Value {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        Ok(value)
    }

    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl<T: Tree> Tree for Box<T> {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        T::from_value(value).map(Self::new)
    }

    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: Tree> Tree for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::Array(values) => values.into_iter().map(T::from_value).collect(),
            _ => Err(Unfit::Type("a list")),
        }
    }

    fn to_value(&self) -> Value {
        Value::Array(self.iter().map(T::to_value).collect())
    }
}

impl<T: Tree> Tree for BTreeMap<String, T> {
    fn from_value(value: Value) -> Result<Self, Unfit> {
        match value {
            Value::Object(entries) => {
                let read = |(key, value)| Ok((key, T::from_value(value)?));
                entries.into_iter().map(read).collect()
            }
            _ => Err(Unfit::Type("a map")),
        }
    }

    fn to_value(&self) -> Value {
        let write = |(key, value): (&String, &T)| (key.clone(), value.to_value());
        Value::Object(self.iter().map(write).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Clone, Default, PartialEq)]
    struct Shelf {
        name: String,
        books: Option<Vec<String>>,
        bought: Option<Timestamp>,
        inner: Option<Box<Shelf>>,
    }

    tree!(Shelf {
        required "Name" name,
        optional "Books" books,
        optional "Bought" bought,
        optional "Inner" inner,
    });

    #[test]
    fn a_structure_is_read_and_written() {
        let tree = json!({"Name": "a", "Books": ["x", "y"], "Bought": 1.5, "Inner": {"Name": "b"}});
        let shelf = Shelf::from_value(tree.clone()).unwrap();
        assert_eq!(shelf.bought, Some(Timestamp(1500)));
        assert_eq!(shelf.inner.as_ref().unwrap().name, "b");
        assert_eq!(shelf.to_value(), tree);
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let read = Shelf::from_value;
        assert_eq!(read(json!({})), Err(Unfit::Missing("Name")));
        assert_eq!(read(json!({"Name": null})), Err(Unfit::Missing("Name")));
        assert_eq!(read(json!({"Name": 1})), Err(Unfit::Type("a text")));
        assert_eq!(read(json!([])), Err(Unfit::Type("a structure")));
        assert_eq!(
            read(json!({"Name": "a", "Books": {}})),
            Err(Unfit::Type("a list"))
        );
    }

    #[test]
    fn numbers_that_json_lacks_are_texts() {
        for number in [f64::INFINITY, f64::NEG_INFINITY, 1.5] {
            assert_eq!(f64::from_value(number.to_value()), Ok(number));
        }
        assert!(f64::from_value(f64::NAN.to_value()).unwrap().is_nan());
        assert_eq!(
            i32::from_value(json!(1_i64 << 40)),
            Err(Unfit::Type("an integer"))
        );
    }
}
