//! Updates of items.

use headwater_items::{Item, Value};

use crate::{Path, Projection};

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

impl Update {
    /// The item as it is then.
    ///
    /// # Errors
    /// When a value is missing or of a wrong kind.
    pub fn apply(&self, _item: &Item) -> Result<Item, UpdateError> {
        todo!()
    }

    /// The places that it touches, as a projection of the item before or after: what `UPDATED_OLD` and `UPDATED_NEW` show.
    pub fn touched(&self) -> Projection {
        todo!()
    }
}
