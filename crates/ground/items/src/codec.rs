//! Items as bytes: `docs/format/items.md`.

use crate::Item;

/// Stored bytes that are no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored item is damaged")]
pub struct Damaged;

/// Appends the bytes of an item to `out`.
pub fn encode(_item: &Item, _out: &mut Vec<u8>) {
    todo!()
}

/// The item that `bytes` are, all of them.
///
/// # Errors
/// [`Damaged`].
pub fn decode(_bytes: &[u8]) -> Result<Item, Damaged> {
    todo!()
}
