//! The trait of all steps that are no functions.

use serde_json::Value;

use crate::records::{ErrorKind, Failure, Item, UserRecord};

/// A step that looks at one record at a time and at nothing else.
pub trait Pure: Send + Sync {
    /// Gives what `item` becomes to `out`, or says why it cannot go on.
    fn apply(&self, item: Item, out: &mut Vec<Item>) -> Result<(), Failure>;

    /// The kind of error of a record that could not go on.
    fn kind(&self) -> ErrorKind {
        ErrorKind::Processing
    }

    /// Further members of the line about a record that failed.
    fn more(&self, _record: &UserRecord) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}
