//! What requests cost in units of capacity. (Source: the developer guide, "DynamoDB read and write operations"; per index
//! as measured by nubo-db's dynamodb-conformance.)

use std::collections::BTreeMap;

use headwater_items::{Item, Value, item_size};
use headwater_shapes_dynamodb::{Capacity, ConsumedCapacity};
use headwater_tables::{KeySchema, Page, Projected, TableRecord, Written};

use crate::items::{keys, source::Source};

/// Bytes of a unit of reading.
const READ_BYTES: usize = 4096;
/// Bytes of a unit of writing.
const WRITE_BYTES: usize = 1024;

/// How much of it is told: `ReturnConsumedCapacity`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// `NONE`.
    Nothing,
    /// `TOTAL`.
    Total,
    /// `INDEXES`.
    Indexes,
}

/// How reads see writes, and so how dear they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consistency {
    /// In the end: half a unit.
    Eventual,
    /// At once.
    Strong,
    /// Of several items at one moment: twice.
    Transactional,
}

/// The units that a request took of one table.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Units {
    /// Of the table itself.
    pub table: f64,
    /// Of its local indexes, by name.
    pub local: BTreeMap<String, f64>,
    /// Of its global indexes, by name.
    pub global: BTreeMap<String, f64>,
}

/// Whether units are of reading or of writing, where that is told: of transactions only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// It is not.
    Untold,
    /// Of reading.
    Read,
    /// Of writing.
    Written,
}

impl Told {
    /// What was asked for.
    pub fn of(sent: Option<&str>) -> Self {
        match sent {
            Some("TOTAL") => Self::Total,
            Some("INDEXES") => Self::Indexes,
            _ => Self::Nothing,
        }
    }

    /// What is told of a table, which goes by the name that the request gave it.
    pub fn consumed(self, named: &str, units: &Units, split: Split) -> Option<ConsumedCapacity> {
        if self == Self::Nothing {
            return None;
        }
        let split_of = |of: Split, units: f64| (split == of).then_some(units);
        let capacity = |units: f64| Capacity {
            read_capacity_units: split_of(Split::Read, units),
            write_capacity_units: split_of(Split::Written, units),
            capacity_units: Some(units),
        };
        let each = |units: &BTreeMap<String, f64>| {
            let shown = units
                .iter()
                .map(|(name, units)| (name.clone(), capacity(*units)));
            (self == Self::Indexes && !units.is_empty()).then(|| shown.collect())
        };
        let total = units.total();
        Some(ConsumedCapacity {
            table_name: Some(named.to_owned()),
            capacity_units: Some(total),
            read_capacity_units: split_of(Split::Read, total),
            write_capacity_units: split_of(Split::Written, total),
            table: (self == Self::Indexes).then(|| capacity(units.table)),
            local_secondary_indexes: each(&units.local),
            global_secondary_indexes: each(&units.global),
            vector_indexes: None,
        })
    }

    /// What is told of several tables.
    pub fn of_tables(
        self,
        tables: &BTreeMap<String, Units>,
        split: Split,
    ) -> Option<Vec<ConsumedCapacity>> {
        let told = tables
            .iter()
            .map(|(named, units)| self.consumed(named, units, split));
        told.collect()
    }
}

impl Consistency {
    /// That of a read that may ask for a strong one.
    pub fn of(consistent: Option<bool>) -> Self {
        match consistent {
            Some(true) => Self::Strong,
            _ => Self::Eventual,
        }
    }

    fn factor(self) -> f64 {
        match self {
            Self::Eventual => 0.5,
            Self::Strong => 1.0,
            Self::Transactional => 2.0,
        }
    }
}

impl Units {
    /// A read of an item; one that is not there costs as much as the smallest.
    pub fn of_read(item: Option<&Item>, consistency: Consistency) -> Self {
        let bytes = item.map_or(0, item_size);
        Self {
            table: units(bytes, READ_BYTES) * consistency.factor(),
            ..Self::default()
        }
    }

    /// A page of a query or a scan: all that it looked at.
    pub fn of_page(page: &Page, source: &Source<'_>, consistency: Consistency) -> Self {
        let units = units(page.bytes, READ_BYTES) * consistency.factor();
        let mut read = Self::default();
        match source.index {
            None => read.table = units,
            Some(index) if index.is_global => {
                read.global.insert(index.name.to_owned(), units);
            }
            Some(index) => {
                read.local.insert(index.name.to_owned(), units);
            }
        }
        read
    }

    /// A write of an item: the larger of what it was and what it is, and what indexes have of it.
    pub fn of_write(table: &TableRecord, written: &Written) -> Self {
        let Written { before, after } = written;
        let bytes = |item: &Option<Item>| item.as_ref().map_or(0, item_size);
        let mut took = Self {
            table: units(bytes(before).max(bytes(after)), WRITE_BYTES),
            ..Self::default()
        };
        let entries = |key: &KeySchema, projected: &Projected| {
            let [before, after] =
                [before, after].map(|item| entry(item.as_ref()?, table, key, projected));
            of_entry(key, before, after)
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

    /// All of them.
    pub fn total(&self) -> f64 {
        self.table + self.local.values().sum::<f64>() + self.global.values().sum::<f64>()
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

/// An index's entry of an item: its attributes there.
type Entry<'a> = BTreeMap<&'a String, &'a Value>;

/// What an index has of an item, if the item has its key.
fn entry<'a>(
    item: &'a Item,
    table: &TableRecord,
    key: &KeySchema,
    projected: &Projected,
) -> Option<Entry<'a>> {
    if !keys::names(key).all(|name| item.contains_key(name)) {
        return None;
    }
    let is_key = |name: &String| {
        keys::names(key)
            .chain(keys::names(&table.key))
            .any(|key| key == name)
    };
    let has = |name: &String| match projected {
        Projected::All => true,
        Projected::Keys => is_key(name),
        Projected::Include(others) => is_key(name) || others.contains(name),
    };
    Some(item.iter().filter(|(name, _)| has(name)).collect())
}

/// The units of a change in an index: none where nothing is changed, and two writes where the entry moves.
fn of_entry(key: &KeySchema, before: Option<Entry<'_>>, after: Option<Entry<'_>>) -> Option<f64> {
    let units = |entry: &Entry<'_>| {
        let bytes = entry.iter().map(|(name, value)| name.len() + value.size());
        units(bytes.sum(), WRITE_BYTES)
    };
    match (before, after) {
        (None, None) => None,
        (Some(entry), None) | (None, Some(entry)) => Some(units(&entry)),
        (Some(before), Some(after)) if before == after => None,
        (Some(before), Some(after)) => {
            let stays = keys::names(key).all(|name| before.get(name) == after.get(name));
            Some(match stays {
                true => units(&before).max(units(&after)),
                false => units(&before) + units(&after),
            })
        }
    }
}

/// How many units so many bytes are, at least one.
#[allow(clippy::cast_precision_loss, reason = "there are never so many")]
fn units(bytes: usize, of: usize) -> f64 {
    bytes.div_ceil(of).max(1) as f64
}
