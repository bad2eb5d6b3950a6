//! Conditions and filters.

use std::{borrow::Cow, cmp::Ordering, sync::Arc};

use headwater_items::{Item, Kind, Number, Value};

use crate::Path;

/// A condition on an item. One that does not exist is an item without attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Both hold.
    And(Box<Condition>, Box<Condition>),
    /// One holds.
    Or(Box<Condition>, Box<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
    /// Two values compare so.
    Compare(Comparison, Operand, Operand),
    /// The first is not less than the second and not greater than the third.
    Between(Operand, Operand, Operand),
    /// The first equals one of the others.
    In(Operand, Vec<Operand>),
    /// There is a value.
    Exists(Path),
    /// There is none.
    NotExists(Path),
    /// The value is of this kind.
    IsKind(Operand, Kind),
    /// A string or binary value begins with another.
    BeginsWith(Operand, Operand),
    /// A string or binary value has another in it, or a set or list has an element.
    Contains(Operand, Operand),
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A value that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operand {
    /// That of the item.
    Path(Path),
    /// This one, which all that use it share.
    Value(Arc<Value>),
    /// The size of another.
    Size(Box<Operand>),
}

impl Condition {
    /// Whether it holds.
    pub fn holds(&self, item: &Item) -> bool {
        match self {
            Self::And(one, other) => one.holds(item) && other.holds(item),
            Self::Or(one, other) => one.holds(item) || other.holds(item),
            Self::Not(one) => !one.holds(item),
            test => test.test_holds(item),
        }
    }

    /// The same of a condition that has no others in it.
    fn test_holds(&self, item: &Item) -> bool {
        let two = |one: &Operand, other: &Operand, holds: fn(&Value, &Value) -> bool| {
            let (one, other) = (one.of(item), other.of(item));
            one.zip(other)
                .is_some_and(|(one, other)| holds(&one, &other))
        };
        match self {
            Self::And(..) | Self::Or(..) | Self::Not(_) => self.holds(item),
            // A value that is not there differs from all, even from another that is not there.
            Self::Compare(Comparison::NotEqual, one, other) => !two(one, other, Value::eq),
            Self::Compare(Comparison::Equal, one, other) => two(one, other, Value::eq),
            Self::Compare(Comparison::Less, one, other) => two(one, other, |one, other| {
                order(one, other).is_some_and(Ordering::is_lt)
            }),
            Self::Compare(Comparison::LessOrEqual, one, other) => two(one, other, not_greater),
            Self::Compare(Comparison::Greater, one, other) => two(one, other, |one, other| {
                order(one, other).is_some_and(Ordering::is_gt)
            }),
            Self::Compare(Comparison::GreaterOrEqual, one, other) => two(other, one, not_greater),
            Self::Between(value, low, high) => {
                two(low, value, not_greater) && two(value, high, not_greater)
            }
            Self::In(value, others) => others.iter().any(|other| two(value, other, Value::eq)),
            Self::Exists(path) => path.find(item).is_some(),
            Self::NotExists(path) => path.find(item).is_none(),
            Self::IsKind(value, kind) => value.of(item).is_some_and(|value| value.kind() == *kind),
            Self::BeginsWith(value, start) => two(value, start, begins_with),
            Self::Contains(value, other) => two(value, other, contains),
        }
    }
}

impl Operand {
    /// The value, where there is one.
    fn of<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Value>> {
        match self {
            Self::Path(path) => path.find(item).map(Cow::Borrowed),
            Self::Value(value) => Some(Cow::Borrowed(value)),
            Self::Size(value) => {
                let size = i64::try_from(size(&*value.of(item)?)?).ok()?;
                Some(Cow::Owned(Value::Number(Number::from(size))))
            }
        }
    }
}

/// What `size` says of a value; none of numbers, truth values and null. The size of a string is that of its UTF-16.
fn size(value: &Value) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.encode_utf16().count()),
        Value::Binary(bytes) => Some(bytes.len()),
        Value::List(list) => Some(list.len()),
        Value::Map(map) => Some(map.len()),
        Value::StringSet(set) => Some(set.len()),
        Value::NumberSet(set) => Some(set.len()),
        Value::BinarySet(set) => Some(set.len()),
        Value::Number(_) | Value::Bool(_) | Value::Null => None,
    }
}

/// The order of two values of one kind that has an order.
pub(crate) fn order(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Some(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => Some(one.cmp(other)),
        (Value::Binary(one), Value::Binary(other)) => Some(one.cmp(other)),
        _ => None,
    }
}

fn not_greater(one: &Value, other: &Value) -> bool {
    order(one, other).is_some_and(Ordering::is_le)
}

fn begins_with(value: &Value, start: &Value) -> bool {
    match (value, start) {
        (Value::String(text), Value::String(start)) => text.starts_with(start.as_str()),
        (Value::Binary(bytes), Value::Binary(start)) => bytes.starts_with(start),
        _ => false,
    }
}

fn contains(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(text), Value::String(part)) => text.contains(part.as_str()),
        (Value::Binary(bytes), Value::Binary(part)) => memchr::memmem::find(bytes, part).is_some(),
        (Value::StringSet(set), Value::String(element)) => set.contains(element),
        (Value::NumberSet(set), Value::Number(element)) => set.contains(element),
        (Value::BinarySet(set), Value::Binary(element)) => set.contains(element),
        (Value::List(list), element) => list.contains(element),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
