//! Counting the calls of tables and what they took, for those who publish it: by kind, as the doors tell of them.

use std::{collections::BTreeMap, time::Duration};

use headwater_types::{Tallied, Tally};

use crate::{Billing, Page, Range, Tables, Used, Write, WriteAction, WriteError};

/// The kind of a call that reads or writes one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// It reads an item.
    Get,
    /// It puts an item in the place of what was there.
    Put,
    /// It changes an item.
    Update,
    /// It deletes an item.
    Delete,
    /// It reads items with one partition key.
    Query,
    /// It reads items whatever their keys.
    Scan,
}

impl CallKind {
    /// All kinds.
    pub const ALL: [Self; 6] = [
        Self::Get,
        Self::Put,
        Self::Update,
        Self::Delete,
        Self::Query,
        Self::Scan,
    ];

    /// The kind of a read of pages.
    pub fn of_range(range: &Range) -> Self {
        match range {
            Range::Query(_) => Self::Query,
            Range::Scan(_) => Self::Scan,
        }
    }

    /// The kind of a write; none of one that only checks, which no call is alone.
    pub fn of_write(write: &Write) -> Option<Self> {
        match write.action {
            WriteAction::Put(_) => Some(Self::Put),
            WriteAction::Update(_) => Some(Self::Update),
            WriteAction::Delete => Some(Self::Delete),
            WriteAction::Check => None,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Done,
    /// A query or a scan found so many items.
    Found(usize),
    /// Capacity refused it.
    Throttled,
    /// The server could not do it.
    Failed,
    /// It could not be done as it was asked for.
    Refused,
}

impl Ended {
    /// The end of a write.
    pub fn of_write<T>(written: &Result<T, WriteError>) -> Self {
        match written {
            Ok(_) => Self::Done,
            Err(WriteError::Throttled(_)) => Self::Throttled,
            Err(WriteError::Failed(_)) => Self::Failed,
            Err(_) => Self::Refused,
        }
    }

    /// The end of a read of pages that was not refused.
    pub fn of_page<E>(page: &Result<Page, E>) -> Self {
        match page {
            Ok(page) => Self::Found(page.count),
            Err(_) => Self::Failed,
        }
    }

    /// The end of a read of an item that was not refused.
    pub fn of_read<T, E>(read: &Result<T, E>) -> Self {
        match read {
            Ok(_) => Self::Done,
            Err(_) => Self::Failed,
        }
    }
}

/// What was counted of the calls of one kind since it was taken last; each value is one call's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Called {
    /// How long they took that ended as they should, in microseconds.
    pub micros: Option<Tallied>,
    /// Items that they found.
    pub found: Option<Tallied>,
    /// Those that capacity refused: 1 each.
    pub throttled: Option<Tallied>,
    /// Those that the server could not do: 1 each.
    pub failed: Option<Tallied>,
}

/// What was counted of a table since it was taken last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableCalls {
    /// Its name.
    pub table: String,
    /// Its calls.
    pub calls: Vec<(CallKind, Called)>,
    /// What was taken of its capacity.
    pub used: Used,
    /// How it is paid for.
    pub billing: Billing,
    /// The same of its global indexes, by name.
    pub indexes: BTreeMap<String, (Used, Billing)>,
    /// Items that were removed since they had expired: 1 each.
    pub expired_items: Option<Tallied>,
    /// Writes whose condition did not hold: 1 each.
    pub failed_conditions: Option<Tallied>,
}

/// The counters of a table's calls.
#[derive(Debug, Default)]
pub(crate) struct Calls([OfKind; CallKind::ALL.len()]);

#[derive(Debug, Default)]
struct OfKind {
    micros: Tally,
    found: Tally,
    throttled: Tally,
    failed: Tally,
}

impl Calls {
    fn ended(&self, kind: CallKind, ended: Ended, took: Duration) {
        let counters = &self.0[kind as usize];
        match ended {
            Ended::Done => {}
            Ended::Found(items) => counters.found.add(items as u64),
            Ended::Throttled => return counters.throttled.add(1),
            Ended::Failed => return counters.failed.add(1),
            Ended::Refused => return,
        }
        counters.micros.add(took.as_micros() as u64);
    }

    fn take(&self) -> Vec<(CallKind, Called)> {
        let taken = CallKind::ALL.iter().zip(&self.0);
        let taken = taken.map(|(kind, counters)| (*kind, counters.take()));
        taken
            .filter(|(_, called)| *called != Called::default())
            .collect()
    }
}

impl OfKind {
    fn take(&self) -> Called {
        Called {
            micros: self.micros.take(),
            found: self.found.take(),
            throttled: self.throttled.take(),
            failed: self.failed.take(),
        }
    }
}

impl Tables {
    /// Counts a call of a table, if it is there still.
    pub fn called(&self, table: &str, kind: CallKind, ended: Ended, took: Duration) {
        if let Ok(table) = self.inner.core.table(table) {
            table.counters.calls.ended(kind, ended, took);
        }
    }

    /// What was counted of all tables since this was asked last, by name: for one who publishes it.
    pub fn take_calls(&self) -> Vec<TableCalls> {
        let tables = self.inner.core.tables();
        tables.iter().map(|table| of_table(table)).collect()
    }
}

fn of_table(table: &crate::core::Table) -> TableCalls {
    let record = &table.layout().record;
    let (used, mut indexes) = table.capacity.take_used();
    let indexes = record.global.iter().map(|(name, index)| {
        let used = indexes.remove(name).unwrap_or_default();
        (name.clone(), (used, index.billing))
    });
    let [expired_items, failed_conditions] = table.counters.take();
    TableCalls {
        table: record.name.clone(),
        calls: table.counters.calls.take(),
        used,
        billing: record.billing,
        indexes: indexes.collect(),
        expired_items,
        failed_conditions,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Units,
        testing::{World, item},
    };

    #[tokio::test]
    async fn calls_and_units_are_taken_once_whether_limits_hold_or_not() {
        let world = World::with_table(None).await;
        let tables = &world.tables;
        for is_limited in [false, true] {
            tables.limit(is_limited);
            let write = Write {
                key: item("k", None),
                condition: None,
                action: WriteAction::Put(item("k", Some("x")).into()),
            };
            let kind = CallKind::of_write(&write).unwrap();
            let written = tables.write("t", write).await;
            let took = Duration::from_micros(7);
            tables.called("t", kind, Ended::of_write(&written), took);
            tables.called("t", CallKind::Query, Ended::Found(3), took);
            tables.called("t", CallKind::Get, Ended::Throttled, took);
            tables.called("none", CallKind::Get, Ended::Done, took);
            let target = crate::Target {
                table: "t".to_owned(),
                index: None,
            };
            let metered = tables.metered(&target, None).unwrap();
            metered.take(&Units::of_table(0.5));
            let taken = tables.take_calls().pop().unwrap();
            assert_eq!(taken.used.read, Some(Tallied::one(1)));
            assert_eq!(taken.used.written, Some(Tallied::one(2)), "in halves");
            let [get, put, query] = &taken.calls[..] else {
                panic!("{:?}", taken.calls);
            };
            assert_eq!(get.1.throttled, Some(Tallied::one(1)));
            assert_eq!(
                (put.0, put.1.micros),
                (CallKind::Put, Some(Tallied::one(7)))
            );
            assert_eq!(query.1.found, Some(Tallied::one(3)));
            let again = tables.take_calls().pop().unwrap();
            assert_eq!((again.used, again.calls), (Used::default(), vec![]));
        }
    }
}
