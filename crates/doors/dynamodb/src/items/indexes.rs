//! The keys of a table's indexes, which its items must fit.

use headwater_items::{Item, Value};
use headwater_tables::{KeySchema, TableRecord};

use crate::items::{fault::Fault, keys, kinds};

/// A table's indexes and their keys, by name, as AWS goes through them.
pub(crate) fn all(table: &TableRecord) -> Vec<(&String, &KeySchema)> {
    let local = table.local.iter().map(|(name, index)| (name, &index.key));
    let global = table.global.iter().map(|(name, index)| (name, &index.key));
    let mut all: Vec<_> = local.chain(global).collect();
    all.sort_unstable_by_key(|(name, _)| *name);
    all
}

/// Whether an item that is put fits the keys of all indexes; it need not have their attributes.
///
/// # Errors
/// The first that it does not fit.
pub(crate) fn check_put(item: &Item, table: &TableRecord) -> Result<(), Fault> {
    for (index, key) in all(table) {
        for attribute in keys::names(key) {
            if let Some(value) = item.get(attribute) {
                check(index, key, attribute, value, table, false)?;
            }
        }
    }
    Ok(())
}

/// Whether a value that an update gives to an attribute fits the keys of all indexes.
///
/// # Errors
/// The first that it does not fit.
pub(crate) fn check_update(
    attribute: &str,
    value: &Value,
    table: &TableRecord,
) -> Result<(), Fault> {
    for (index, key) in all(table) {
        if keys::names(key).any(|name| name == attribute) {
            check(index, key, attribute, value, table, true)?;
        }
    }
    Ok(())
}

fn check(
    index: &str,
    key: &KeySchema,
    attribute: &str,
    value: &Value,
    table: &TableRecord,
    is_update: bool,
) -> Result<(), Fault> {
    let Some(kind) = keys::kind(attribute, table) else {
        return Ok(());
    };
    if value.kind() != kinds::of_key(kind) {
        return Err(Fault::IndexKind {
            index: index.to_owned(),
            attribute: attribute.to_owned(),
            expected: kind,
            actual: value.kind(),
        });
    }
    match kinds::key_bytes(value) {
        Some(0) if is_update => Err(Fault::UpdatedEmptyIndexKey(kind)),
        Some(0) => Err(Fault::EmptyIndexKey {
            index: index.to_owned(),
            attribute: attribute.to_owned(),
            kind,
        }),
        Some(bytes) => keys::check_bytes(bytes, attribute == key.partition),
        None => Ok(()),
    }
}
