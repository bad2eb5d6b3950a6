//! Keys of a table's items.

use headwater_items::{Item, Value};
use headwater_tables::{KeyKind, KeySchema, TableRecord};

use crate::items::{
    fault::Fault,
    kinds,
    limits::{PARTITION_KEY_BYTES, SORT_KEY_BYTES},
};

/// The attributes of a key: first that which says the partition.
pub(crate) fn names(key: &KeySchema) -> impl Iterator<Item = &String> {
    std::iter::once(&key.partition).chain(&key.sort)
}

/// Whether attributes are a key of the table, and no others.
///
/// # Errors
/// They are not.
pub(crate) fn check(key: &Item, table: &TableRecord) -> Result<(), Fault> {
    match key.len() == names(&table.key).count() {
        true => check_parts(key, &table.key, table),
        false => Err(Fault::KeyMismatch),
    }
}

/// Whether attributes have the parts of a key, of the table's or of an index's.
///
/// # Errors
/// They have not.
pub(crate) fn check_parts(
    attributes: &Item,
    key: &KeySchema,
    table: &TableRecord,
) -> Result<(), Fault> {
    for name in names(key) {
        let (value, kind) = attributes
            .get(name)
            .zip(kind(name, table))
            .ok_or(Fault::KeyMismatch)?;
        if value.kind() != kinds::of_key(kind) {
            return Err(Fault::KeyMismatch);
        }
        check_value(name, value, kind, *name == key.partition)?;
    }
    Ok(())
}

/// The key of an item that is put.
///
/// # Errors
/// The item has none, or none of the table.
pub(crate) fn of_item(item: &Item, table: &TableRecord) -> Result<Item, Fault> {
    let mut key = Item::new();
    for name in names(&table.key) {
        let found = item.get(name).zip(kind(name, table));
        let (value, kind) = found.ok_or_else(|| Fault::NoKey(name.clone()))?;
        if value.kind() != kinds::of_key(kind) {
            return Err(Fault::KeyKind {
                attribute: name.clone(),
                expected: kind,
                actual: value.kind(),
            });
        }
        check_value(name, value, kind, *name == table.key.partition)?;
        key.insert(name.clone(), value.clone());
    }
    Ok(key)
}

/// The kind of an attribute of a key.
pub(crate) fn kind(name: &str, table: &TableRecord) -> Option<KeyKind> {
    table.attributes.get(name).copied()
}

/// Whether a value of the right kind can stand in a key.
fn check_value(name: &str, value: &Value, kind: KeyKind, is_partition: bool) -> Result<(), Fault> {
    match kinds::key_bytes(value) {
        Some(0) => Err(Fault::EmptyKey {
            attribute: name.to_owned(),
            kind,
        }),
        Some(bytes) => check_bytes(bytes, is_partition),
        None => Ok(()),
    }
}

/// Whether a value of a key is not too long.
pub(crate) fn check_bytes(bytes: usize, is_partition: bool) -> Result<(), Fault> {
    match is_partition {
        true if bytes > PARTITION_KEY_BYTES => Err(Fault::PartitionTooLong),
        false if bytes > SORT_KEY_BYTES => Err(Fault::SortTooLong),
        _ => Ok(()),
    }
}
