//! Writes that a table takes.

use headwater_expressions::{Condition, Update};
use headwater_items::{Item, item_size};
use headwater_tables::{TableRecord, Write, WriteAction, limits::ITEM_BYTES};

use crate::items::{fault::Fault, indexes, keys, update};

/// Whether an item is not too large to be put.
///
/// # Errors
/// It is.
pub(crate) fn check_size(item: &Item) -> Result<(), Fault> {
    match item_size(item) {
        0..=ITEM_BYTES => Ok(()),
        _ => Err(Fault::TooLarge),
    }
}

/// The write that puts an item.
///
/// # Errors
/// The table does not take it.
pub(crate) fn put(
    item: Item,
    condition: Option<Condition>,
    table: &TableRecord,
) -> Result<Write, Fault> {
    let key = keys::of_item(&item, table)?;
    indexes::check_put(&item, table)?;
    Ok(Write {
        key,
        condition,
        action: WriteAction::Put(item.into()),
    })
}

/// The write that updates the item with this key.
///
/// # Errors
/// The table does not take it.
pub(crate) fn update(
    key: Item,
    update: Update,
    condition: Option<Condition>,
    table: &TableRecord,
) -> Result<Write, Fault> {
    keys::check(&key, table)?;
    update::check(&update, table)?;
    Ok(Write {
        key,
        condition,
        action: WriteAction::Update(update),
    })
}

/// The write that does to the item with this key what needs nothing more.
///
/// # Errors
/// The key is none of the table.
pub(crate) fn of_key(
    key: Item,
    action: WriteAction,
    condition: Option<Condition>,
    table: &TableRecord,
) -> Result<Write, Fault> {
    keys::check(&key, table)?;
    Ok(Write {
        key,
        condition,
        action,
    })
}
