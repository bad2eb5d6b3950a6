//! What requests cost in units of capacity, as answers tell it. (Source: the developer guide, "DynamoDB read and write
//! operations".) What writes cost the domain knows.

use std::collections::BTreeMap;

use headwater_items::{Item, item_size};
use headwater_shapes_dynamodb::{Capacity, ConsumedCapacity};
use headwater_tables::{Page, TableRecord, Units, Written, units};

use crate::items::source::Source;

/// Bytes of a unit of reading.
const READ_BYTES: usize = 4096;

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

/// A read of an item; one that is not there costs as much as the smallest.
pub(crate) fn of_read(item: Option<&Item>, consistency: Consistency) -> Units {
    let bytes = item.map_or(0, item_size);
    Units::of_table(units(bytes, READ_BYTES) * consistency.factor())
}

/// A page of a query or a scan: all that it looked at.
pub(crate) fn of_page(page: &Page, source: &Source<'_>, consistency: Consistency) -> Units {
    let units = units(page.bytes, READ_BYTES) * consistency.factor();
    let of_index = |name: &str| BTreeMap::from([(name.to_owned(), units)]);
    match source.index {
        None => Units::of_table(units),
        Some(index) if index.is_global => Units {
            global: of_index(index.name),
            ..Units::default()
        },
        Some(index) => Units {
            local: of_index(index.name),
            ..Units::default()
        },
    }
}

/// A write of an item.
pub(crate) fn of_write(table: &TableRecord, written: &Written) -> Units {
    Units::of_write(table, written.before.as_deref(), written.after.as_deref())
}
