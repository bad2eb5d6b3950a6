//! What is asked of the writers of items, and what they answer.

use std::sync::Arc;

use headwater_expressions::{Condition, Update, UpdateError};
use headwater_items::Item;

use crate::{Error, Throttled};

/// A write of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Its key: the attributes of the table's key, and no others.
    pub key: Item,
    /// What must hold of the item as it is.
    pub condition: Option<Condition>,
    /// What is done.
    pub action: WriteAction,
}

/// What is done to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WriteAction {
    /// It becomes this, key and all. A caller may keep it too.
    Put(Arc<Item>),
    /// It is changed so, and made where it is not there.
    Update(Update),
    /// It is removed.
    Delete,
    /// Nothing: only the condition is asked. In transactions.
    Check,
}

/// What a write did. Both are whole items, with their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The item before.
    pub before: Option<Arc<Item>>,
    /// The item after.
    pub after: Option<Arc<Item>>,
}

/// Why an item was not written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum WriteError {
    /// The condition does not hold of the item, which is this.
    #[error("the condition does not hold")]
    ConditionFailed(Option<Item>),
    /// The update cannot be applied to the item.
    #[error(transparent)]
    Update(UpdateError),
    /// The update changes an attribute of the key.
    #[error("the update changes the key's attribute {0}")]
    ChangesKey(String),
    /// The item would be larger than an item may be.
    #[error("the item is too large")]
    TooLarge,
    /// The item's lists and maps would be nested deeper than they may be.
    #[error("the item is nested too deep")]
    TooDeep,
    /// The attribute of this index's key is of a wrong kind.
    #[error("the attribute {attribute} of index {index} is of a wrong kind")]
    WrongIndexKind {
        /// The index.
        index: String,
        /// The attribute.
        attribute: String,
        /// What it should be.
        expected: crate::KeyKind,
        /// What it is.
        actual: headwater_items::Kind,
    },
    /// The attribute of this index's key is empty, or too long.
    #[error("the attribute {attribute} of index {index} is empty or too long")]
    WrongIndexSize {
        /// The index.
        index: String,
        /// The attribute.
        attribute: String,
        /// Its bytes; 0 where it is empty.
        bytes: usize,
    },
    /// A transaction is changing the item. Here writes wait for it; an engine in which they do not may say so.
    #[error("a transaction is changing the item")]
    Conflict,
    /// Capacity is used up.
    #[error(transparent)]
    Throttled(#[from] Throttled),
    /// The table, or what failed below.
    #[error(transparent)]
    Failed(#[from] Error),
}

impl From<UpdateError> for WriteError {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::TooLarge => Self::TooLarge,
            error => Self::Update(error),
        }
    }
}

/// Writes that are done all or not at all.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// The tables, by name, and what is written there.
    pub writes: Vec<(String, Write)>,
    /// The caller's token and a digest of the request: the same token within ten minutes does nothing more.
    pub token: Option<(String, [u8; 32])>,
}

/// Why a transaction was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Cancellation {
    /// One reason a write, in order; none where that would have been done.
    #[error("the transaction was cancelled")]
    Reasons(Vec<Option<WriteError>>),
    /// The items that it writes or reads have more bytes than they may have together: at least so many.
    #[error("the items of the transaction are too large")]
    TooLarge(usize),
    /// The token was used for another request.
    #[error("the token was used for another request")]
    OtherRequest,
    /// The first request with the token is under way.
    #[error("the transaction is under way")]
    UnderWay,
    /// The table, or what failed below.
    #[error(transparent)]
    Failed(#[from] Error),
}
