//! What requests take in units of capacity. (Source: the developer guide, "DynamoDB read and write operations"; per index as
//! measured by nubo-db's dynamodb-conformance.)

use std::collections::BTreeMap;

use headwater_items::{Item, Value, item_size};

use crate::{KeySchema, Projected, TableRecord};

/// Bytes of a unit of writing.
const WRITE_BYTES: usize = 1024;

/// The units that a request took of one table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Units {
    /// Of the table itself.
    pub table: f64,
    /// Of its local indexes, by name.
    pub local: BTreeMap<String, f64>,
    /// Of its global indexes, by name.
    pub global: BTreeMap<String, f64>,
}

impl Units {
    /// So many of the table.
    pub fn of_table(units: f64) -> Self {
        Self {
            table: units,
            ..Self::default()
        }
    }

    /// A write of an item: the larger of what it was and what it is, and what indexes have of it.
    pub fn of_write(table: &TableRecord, before: Option<&Item>, after: Option<&Item>) -> Self {
        let bytes = |item: Option<&Item>| item.map_or(0, item_size);
        let mut took = Self::of_table(units(bytes(before).max(bytes(after)), WRITE_BYTES));
        let entries = |key, projected| {
            let shape = Shape {
                table,
                key,
                projected,
            };
            shape.units(shape.entry(before), shape.entry(after))
        };
        for (name, index) in &table.local {
            if let Some(units) = entries(&index.key, &index.projected) {
                took.local.insert(name.clone(), units);
            }
        }
        for (name, index) in &table.global {
            if let Some(units) = entries(&index.key, &index.projected) {
                took.global.insert(name.clone(), units);
            }
        }
        took
    }

    /// Those of the table with its local indexes, which have no capacity of their own.
    pub fn of_its_own(&self) -> f64 {
        self.table + self.local.values().sum::<f64>()
    }

    /// All of them.
    pub fn total(&self) -> f64 {
        self.of_its_own() + self.global.values().sum::<f64>()
    }

    /// Adds those of another request, so many times.
    pub fn add(&mut self, other: &Self, times: f64) {
        self.table += other.table * times;
        for (name, units) in &other.local {
            *self.local.entry(name.clone()).or_default() += units * times;
        }
        for (name, units) in &other.global {
            *self.global.entry(name.clone()).or_default() += units * times;
        }
    }
}

/// What an index has of items.
#[derive(Clone, Copy)]
struct Shape<'a> {
    table: &'a TableRecord,
    key: &'a KeySchema,
    projected: &'a Projected,
}

impl<'a> Shape<'a> {
    /// The item as far as the index has it, if the item has its key.
    fn entry(self, item: Option<&'a Item>) -> Option<Entry<'a>> {
        let item = item.filter(|item| names(self.key).all(|name| item.contains_key(name)))?;
        Some(Entry { item, shape: self })
    }

    fn has(self, name: &String) -> bool {
        let is_key = || {
            names(self.key)
                .chain(names(&self.table.key))
                .any(|key| key == name)
        };
        match self.projected {
            Projected::All => true,
            Projected::Keys => is_key(),
            Projected::Include(others) => is_key() || others.contains(name),
        }
    }

    /// The units of a change: none where nothing is changed, and two writes where the entry moves.
    fn units(self, before: Option<Entry<'_>>, after: Option<Entry<'_>>) -> Option<f64> {
        match (before, after) {
            (None, None) => None,
            (Some(entry), None) | (None, Some(entry)) => Some(entry.units()),
            (Some(before), Some(after)) if before.attributes().eq(after.attributes()) => None,
            (Some(before), Some(after)) => {
                let mut key = names(self.key);
                Some(
                    match key.all(|name| before.item.get(name) == after.item.get(name)) {
                        true => before.units().max(after.units()),
                        false => before.units() + after.units(),
                    },
                )
            }
        }
    }
}

/// An index's entry of an item.
#[derive(Clone, Copy)]
struct Entry<'a> {
    item: &'a Item,
    shape: Shape<'a>,
}

impl<'a> Entry<'a> {
    fn attributes(self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        let shape = self.shape;
        self.item.iter().filter(move |(name, _)| shape.has(name))
    }

    fn units(self) -> f64 {
        let bytes = self
            .attributes()
            .map(|(name, value)| name.len() + value.size());
        units(bytes.sum(), WRITE_BYTES)
    }
}

fn names(key: &KeySchema) -> impl Iterator<Item = &String> {
    std::iter::once(&key.partition).chain(&key.sort)
}

/// How many units of `of` bytes so many bytes are, at least one.
#[allow(clippy::cast_precision_loss, reason = "there are never so many")]
pub fn units(bytes: usize, of: usize) -> f64 {
    bytes.div_ceil(of).max(1) as f64
}
