//! Updates of items.

use std::borrow::Cow;

use headwater_items::{Item, Number, NumberError, Value};

use crate::{Path, Projection, Step};

/// What is done to an item, all of it or nothing: values are those before the update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update(pub Vec<Action>);

/// One action of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Gives a place a value.
    Set(Path, SetValue),
    /// Takes a value away.
    Remove(Path),
    /// Adds to a number or a set; one that is not there is 0, or empty.
    Add(Path, Value),
    /// Takes elements out of a set; one that is left without any goes.
    Delete(Path, Value),
    /// `ADD` of the older dialect: it adds to lists too, at their end, and its error has other words.
    AddLegacy(Path, Value),
    /// `DELETE` of the older dialect: its error has other words.
    DeleteLegacy(Path, Value),
}

/// The value that `SET` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetValue {
    /// That of the item.
    Path(Path),
    /// This one.
    Value(Value),
    /// The sum.
    Plus(Box<SetValue>, Box<SetValue>),
    /// The difference.
    Minus(Box<SetValue>, Box<SetValue>),
    /// The elements of both lists.
    ListAppend(Box<SetValue>, Box<SetValue>),
    /// That of the item, or another where there is none.
    IfNotExists(Path, Box<SetValue>),
}

/// Why an item cannot be updated so. Each reads as AWS's text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UpdateError {
    /// A path that is not there was to give a value.
    #[error("The provided expression refers to an attribute that does not exist in the item")]
    NoValue,
    /// A path leads through what is not there.
    #[error("The document path provided in the update expression is invalid for update")]
    InvalidPath,
    /// A value is of a kind that cannot be used so; AWS's text.
    #[error("{0}")]
    WrongKind(String),
    /// A number that cannot be; AWS's text.
    #[error("{0}")]
    Number(String),
}

/// What an action leaves at its place.
enum Left<'a> {
    Value(&'a Path, Value),
    Nothing(&'a Path),
}

impl Update {
    /// The item as it is then.
    ///
    /// # Errors
    /// When a value is missing or of a wrong kind.
    pub fn apply(&self, item: &Item) -> Result<Item, UpdateError> {
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for action in &self.0 {
            match action.outcome(item)? {
                Left::Value(path, value) => set.push((path, value)),
                Left::Nothing(path) => removed.push(path),
            }
        }
        let mut updated = item.clone();
        // In order, so that elements behind the end of a list are appended in the order of their indexes.
        set.sort_unstable_by_key(|(path, _)| *path);
        for (path, value) in set {
            put(&mut updated, path, value)?;
        }
        // From behind, so that indexes go on meaning what they meant before.
        removed.sort_unstable_by(|one, other| other.cmp(one));
        for path in removed {
            // An element that only this update appended is none that was to go.
            let there = path.find(item).is_some();
            take_away(&mut updated, path, there)?;
        }
        Ok(updated)
    }

    /// The places that it touches, as a projection of the item before or after: what `UPDATED_OLD` and `UPDATED_NEW` show.
    pub fn touched(&self) -> Projection {
        Projection(self.0.iter().map(|action| action.place().clone()).collect())
    }

    /// Whether it makes an item where there is none: not so when all that it does is take away. Without any action it does.
    pub fn makes_item(&self) -> bool {
        let takes = |action: &Action| {
            matches!(
                action,
                Action::Remove(_) | Action::Delete(..) | Action::DeleteLegacy(..)
            )
        };
        self.0.is_empty() || !self.0.iter().all(takes)
    }
}

impl Action {
    /// The place that it changes.
    pub fn place(&self) -> &Path {
        match self {
            Self::Set(path, _)
            | Self::Remove(path)
            | Self::Add(path, _)
            | Self::Delete(path, _)
            | Self::AddLegacy(path, _)
            | Self::DeleteLegacy(path, _) => path,
        }
    }

    fn outcome(&self, item: &Item) -> Result<Left<'_>, UpdateError> {
        let (path, value) = match self {
            Self::Remove(path) => (path, None),
            Self::Set(path, value) => (path, Some(value.of(item)?.into_owned())),
            Self::Add(path, value) => (path, Some(add(path.find(item), value, wrong_operand)?)),
            Self::Delete(path, value) => (path, delete(path.find(item), value, wrong_operand)?),
            Self::AddLegacy(path, value) => match (path.find(item), value) {
                (Some(Value::List(old)), Value::List(new)) => (path, Some(joined(old, new))),
                (None, Value::List(_)) => (path, Some(value.clone())),
                (old, value) => (path, Some(add(old, value, mismatch)?)),
            },
            Self::DeleteLegacy(path, value) => (path, delete(path.find(item), value, mismatch)?),
        };
        Ok(match value {
            Some(value) => Left::Value(path, value),
            None => Left::Nothing(path),
        })
    }
}

impl SetValue {
    fn of<'a>(&'a self, item: &'a Item) -> Result<Cow<'a, Value>, UpdateError> {
        match self {
            Self::Path(path) => path
                .find(item)
                .map(Cow::Borrowed)
                .ok_or(UpdateError::NoValue),
            Self::Value(value) => Ok(Cow::Borrowed(value)),
            Self::Plus(one, other) => calculate(one, other, item, Number::plus),
            Self::Minus(one, other) => calculate(one, other, item, Number::minus),
            Self::ListAppend(one, other) => match (&*one.of(item)?, &*other.of(item)?) {
                (Value::List(one), Value::List(other)) => Ok(Cow::Owned(joined(one, other))),
                _ => Err(wrong_operand()),
            },
            Self::IfNotExists(path, other) => match path.find(item) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => other.of(item),
            },
        }
    }
}

/// The sum or the difference of two numbers.
fn calculate<'a>(
    one: &SetValue,
    other: &SetValue,
    item: &Item,
    how: fn(Number, Number) -> Result<Number, NumberError>,
) -> Result<Cow<'a, Value>, UpdateError> {
    match (&*one.of(item)?, &*other.of(item)?) {
        (Value::Number(one), Value::Number(other)) => {
            let outcome = how(*one, *other).map_err(number_error)?;
            Ok(Cow::Owned(Value::Number(outcome)))
        }
        _ => Err(wrong_operand()),
    }
}

/// What a number or a set becomes to which something is added.
fn add(
    old: Option<&Value>,
    added: &Value,
    wrong: fn() -> UpdateError,
) -> Result<Value, UpdateError> {
    match (old, added) {
        (None, Value::Number(_)) => Ok(added.clone()),
        (Some(Value::Number(old)), Value::Number(added)) => {
            Ok(Value::Number(old.plus(*added).map_err(number_error)?))
        }
        (None, Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_)) => {
            Ok(added.clone())
        }
        (Some(Value::StringSet(old)), Value::StringSet(added)) => Ok(Value::StringSet(old | added)),
        (Some(Value::NumberSet(old)), Value::NumberSet(added)) => Ok(Value::NumberSet(old | added)),
        (Some(Value::BinarySet(old)), Value::BinarySet(added)) => Ok(Value::BinarySet(old | added)),
        _ => Err(wrong()),
    }
}

/// What a set becomes out of which elements are taken; nothing where there is none, or none of them is left.
fn delete(
    old: Option<&Value>,
    taken: &Value,
    wrong: fn() -> UpdateError,
) -> Result<Option<Value>, UpdateError> {
    let Some(old) = old else {
        return Ok(None);
    };
    Ok(match (old, taken) {
        (Value::StringSet(old), Value::StringSet(taken)) => Some(old - taken)
            .filter(|left| !left.is_empty())
            .map(Value::StringSet),
        (Value::NumberSet(old), Value::NumberSet(taken)) => Some(old - taken)
            .filter(|left| !left.is_empty())
            .map(Value::NumberSet),
        (Value::BinarySet(old), Value::BinarySet(taken)) => Some(old - taken)
            .filter(|left| !left.is_empty())
            .map(Value::BinarySet),
        _ => return Err(wrong()),
    })
}

fn joined(one: &[Value], other: &[Value]) -> Value {
    Value::List([one, other].concat())
}

/// Where a value is kept.
enum Place<'a> {
    Attribute(&'a mut Item, &'a str),
    Element(&'a mut Vec<Value>, usize),
}

/// The place of a path; what it leads through must be there.
fn place<'a>(item: &'a mut Item, path: &'a Path) -> Result<Place<'a>, UpdateError> {
    let Some((last, steps)) = path.steps.split_last() else {
        return Ok(Place::Attribute(item, &path.root));
    };
    let root = item.get_mut(&path.root);
    let parent = steps.iter().try_fold(root, |value, step| {
        Some(match (value?, step) {
            (Value::Map(map), Step::Field(name)) => map.get_mut(name),
            (Value::List(list), Step::Index(index)) => list.get_mut(*index),
            _ => None,
        })
    });
    match (parent.flatten(), last) {
        (Some(Value::Map(map)), Step::Field(name)) => Ok(Place::Attribute(map, name)),
        (Some(Value::List(list)), Step::Index(index)) => Ok(Place::Element(list, *index)),
        _ => Err(UpdateError::InvalidPath),
    }
}

fn put(item: &mut Item, path: &Path, value: Value) -> Result<(), UpdateError> {
    match place(item, path)? {
        Place::Attribute(item, name) => {
            item.insert(name.to_owned(), value);
        }
        Place::Element(list, index) => match list.get_mut(index) {
            Some(element) => *element = value,
            None => list.push(value),
        },
    }
    Ok(())
}

fn take_away(item: &mut Item, path: &Path, there: bool) -> Result<(), UpdateError> {
    match place(item, path)? {
        Place::Attribute(item, name) => {
            item.remove(name);
        }
        Place::Element(list, index) if there && index < list.len() => {
            list.remove(index);
        }
        Place::Element(..) => {}
    }
    Ok(())
}

fn wrong_operand() -> UpdateError {
    UpdateError::WrongKind(
        "An operand in the update expression has an incorrect data type".to_owned(),
    )
}

fn mismatch() -> UpdateError {
    UpdateError::WrongKind("Type mismatch for attribute to update".to_owned())
}

fn number_error(error: NumberError) -> UpdateError {
    let text = match error {
        NumberError::NotANumber => "The parameter cannot be converted to a numeric value",
        NumberError::TooManyDigits => {
            "Attempting to store more than 38 significant digits in a Number"
        }
        NumberError::Overflow => {
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        }
        NumberError::Underflow => {
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        }
    };
    UpdateError::Number(text.to_owned())
}

#[cfg(test)]
mod tests;
