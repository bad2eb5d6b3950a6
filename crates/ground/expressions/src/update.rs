//! Updates of items.

use std::{borrow::Cow, sync::Arc};

use headwater_items::{Item, Number, NumberError, Value, limits::ITEM_BYTES};

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
    Add(Path, Arc<Value>),
    /// Takes elements out of a set; one that is left without any goes.
    Delete(Path, Arc<Value>),
    /// `ADD` of the older dialect: it adds to lists too, at their end, and its error has other words.
    AddLegacy(Path, Arc<Value>),
    /// `DELETE` of the older dialect: its error has other words.
    DeleteLegacy(Path, Arc<Value>),
}

/// The value that `SET` gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetValue {
    /// That of the item.
    Path(Path),
    /// This one, which all that use it share.
    Value(Arc<Value>),
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
    /// The item would be larger than an item may be.
    #[error("Item size to update has exceeded the maximum allowed size")]
    TooLarge,
}

/// What an action leaves at its place.
enum Left<'a> {
    Value(&'a Path, Cow<'a, Value>),
    Nothing(&'a Path),
}

/// The bytes that an update may still give to an item. What there is no room for is not made: something small stands in its
/// place, and all other checks are made as ever.
struct Room {
    left: usize,
    is_exceeded: bool,
}

impl Room {
    fn of_item() -> Self {
        Self {
            left: ITEM_BYTES,
            is_exceeded: false,
        }
    }

    /// A value for the item.
    fn take(&mut self, value: Cow<'_, Value>) -> Value {
        match self.left.checked_sub(value.size()) {
            Some(left) => {
                self.left = left;
                value.into_owned()
            }
            None => {
                self.is_exceeded = true;
                Value::Null
            }
        }
    }

    /// The elements of both lists, where they go into an item; none where either is no list.
    fn joined(&mut self, one: &Value, other: &Value) -> Option<Value> {
        let (Value::List(first), Value::List(second)) = (one, other) else {
            return None;
        };
        let more: usize = second.iter().map(|value| 1 + value.size()).sum();
        if one.size() + more > ITEM_BYTES {
            self.is_exceeded = true;
            return Some(Value::List(Vec::new()));
        }
        Some(Value::List([first.as_slice(), second].concat()))
    }
}

impl Update {
    /// The item as it is then.
    ///
    /// # Errors
    /// When a value is missing or of a wrong kind; last, when what is set is larger than an item may be.
    pub fn apply(&self, item: &Item) -> Result<Item, UpdateError> {
        let mut room = Room::of_item();
        let (mut set, mut removed) = (Vec::new(), Vec::new());
        for action in &self.0 {
            match action.outcome(item, &mut room)? {
                Left::Value(path, value) => set.push((path, room.take(value))),
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
        match room.is_exceeded {
            true => Err(UpdateError::TooLarge),
            false => Ok(updated),
        }
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

    fn outcome<'a>(&'a self, item: &'a Item, room: &mut Room) -> Result<Left<'a>, UpdateError> {
        let (path, value) = match self {
            Self::Remove(path) => (path, None),
            Self::Set(path, value) => (path, Some(value.of(item, room)?)),
            Self::Add(path, value) => (path, Some(add(path.find(item), value, wrong_operand)?)),
            Self::Delete(path, value) => (path, delete(path.find(item), value, wrong_operand)?),
            Self::AddLegacy(path, value) => (path, Some(add_legacy(path.find(item), value, room)?)),
            Self::DeleteLegacy(path, value) => (path, delete(path.find(item), value, mismatch)?),
        };
        Ok(match value {
            Some(value) => Left::Value(path, value),
            None => Left::Nothing(path),
        })
    }
}

impl SetValue {
    fn of<'a>(&'a self, item: &'a Item, room: &mut Room) -> Result<Cow<'a, Value>, UpdateError> {
        match self {
            Self::Path(path) => path
                .find(item)
                .map(Cow::Borrowed)
                .ok_or(UpdateError::NoValue),
            Self::Value(value) => Ok(Cow::Borrowed(value)),
            Self::Plus(one, other) => {
                calculate([one.of(item, room)?, other.of(item, room)?], Number::plus)
            }
            Self::Minus(one, other) => {
                calculate([one.of(item, room)?, other.of(item, room)?], Number::minus)
            }
            Self::ListAppend(one, other) => {
                let (one, other) = (one.of(item, room)?, other.of(item, room)?);
                let joined = room.joined(&one, &other).ok_or_else(wrong_operand)?;
                Ok(Cow::Owned(joined))
            }
            Self::IfNotExists(path, other) => match path.find(item) {
                Some(value) => Ok(Cow::Borrowed(value)),
                None => other.of(item, room),
            },
        }
    }
}

/// The sum or the difference of two numbers.
fn calculate<'a>(
    [one, other]: [Cow<'_, Value>; 2],
    how: fn(Number, Number) -> Result<Number, NumberError>,
) -> Result<Cow<'a, Value>, UpdateError> {
    match (&*one, &*other) {
        (Value::Number(one), Value::Number(other)) => {
            let outcome = how(*one, *other).map_err(number_error)?;
            Ok(Cow::Owned(Value::Number(outcome)))
        }
        _ => Err(wrong_operand()),
    }
}

/// What a number or a set becomes to which something is added.
fn add<'a>(
    old: Option<&Value>,
    added: &'a Value,
    wrong: fn() -> UpdateError,
) -> Result<Cow<'a, Value>, UpdateError> {
    Ok(Cow::Owned(match (old, added) {
        (
            None,
            Value::Number(_) | Value::StringSet(_) | Value::NumberSet(_) | Value::BinarySet(_),
        ) => return Ok(Cow::Borrowed(added)),
        (Some(Value::Number(old)), Value::Number(added)) => {
            Value::Number(old.plus(*added).map_err(number_error)?)
        }
        (Some(Value::StringSet(old)), Value::StringSet(added)) => Value::StringSet(old | added),
        (Some(Value::NumberSet(old)), Value::NumberSet(added)) => Value::NumberSet(old | added),
        (Some(Value::BinarySet(old)), Value::BinarySet(added)) => Value::BinarySet(old | added),
        _ => return Err(wrong()),
    }))
}

/// The same in the older dialect, where lists are added to too.
fn add_legacy<'a>(
    old: Option<&Value>,
    added: &'a Value,
    room: &mut Room,
) -> Result<Cow<'a, Value>, UpdateError> {
    match (old, added) {
        (None, Value::List(_)) => Ok(Cow::Borrowed(added)),
        (Some(old), added) => match room.joined(old, added) {
            Some(joined) => Ok(Cow::Owned(joined)),
            None => add(Some(old), added, mismatch),
        },
        (None, added) => add(None, added, mismatch),
    }
}

/// What a set becomes out of which elements are taken; nothing where there is none, or none of them is left.
fn delete<'a>(
    old: Option<&Value>,
    taken: &Value,
    wrong: fn() -> UpdateError,
) -> Result<Option<Cow<'a, Value>>, UpdateError> {
    let Some(old) = old else {
        return Ok(None);
    };
    let left = match (old, taken) {
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
    };
    Ok(left.map(Cow::Owned))
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
    let root = item.get_mut(&*path.root);
    let parent = steps.iter().try_fold(root, |value, step| {
        Some(match (value?, step) {
            (Value::Map(map), Step::Field(name)) => map.get_mut(&**name),
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
