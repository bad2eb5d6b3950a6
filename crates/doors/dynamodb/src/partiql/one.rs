//! Statements that read one item by its key.

use headwater_items::Item;
use headwater_partiql::{OneItem, Select, one_item};
use headwater_tables::TableRecord;

use crate::items::keys;

/// The key of the one item that is wanted, if nothing is asked but its key.
pub(crate) fn key_of_one(select: &Select, table: &TableRecord) -> Option<Item> {
    let names: Vec<&str> = keys::names(&table.key).map(String::as_str).collect();
    let OneItem { key, rest, .. } = one_item(select.condition.clone()?, &names, true)?;
    rest.is_none().then_some(key)
}
