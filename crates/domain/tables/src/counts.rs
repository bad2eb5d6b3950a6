//! What is counted of tables since the server started, and what they hold. Its names in the page of metrics are the server's.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use headwater_items::{Item, item_size};
use headwater_types::{Tallied, Tally};

use crate::{
    Access, IndexState, Page, Tables, WriteError, calls::Calls, change::Altered, core::Table,
};

/// What a table counted since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items that were put, changed or deleted.
    pub written_items: u64,
    /// Bytes of these as they were then; nothing of those that were deleted.
    pub written_bytes: u64,
    /// Items that were removed since they had expired; they are not among those that were written.
    pub expired_items: u64,
    /// Items that were looked at.
    pub read_items: u64,
    /// Bytes of these.
    pub read_bytes: u64,
    /// Reads that capacity refused.
    pub throttled_reads: u64,
    /// Writes of items that capacity refused.
    pub throttled_writes: u64,
    /// Writes whose condition did not hold.
    pub failed_conditions: u64,
    /// Transactions with writes to it that were cancelled.
    pub cancelled_transactions: u64,
}

/// What is told of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableMetrics {
    /// Its name.
    pub table: String,
    /// What it counted.
    pub counts: Counts,
    /// In how many partitions it is cut.
    pub partitions: u16,
    /// Its streams, with those that were disabled and can be read still.
    pub streams: usize,
    /// Its global indexes that are being filled or removed.
    pub building_indexes: usize,
}

/// What is told of the index of all tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexMetrics {
    /// Bytes that were written to it and may not be durable: a crash has them written again, from the log.
    pub unsynced_bytes: u64,
    /// Partitions that a transaction changes just now, or that lack changes of one.
    pub unsettled_partitions: usize,
}

/// The counters behind [`Counts`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    written_items: AtomicU64,
    written_bytes: AtomicU64,
    expired_items: Tally,
    read_items: AtomicU64,
    read_bytes: AtomicU64,
    throttled_reads: AtomicU64,
    throttled_writes: AtomicU64,
    failed_conditions: Tally,
    cancelled_transactions: AtomicU64,
    /// The calls that a door told of, by their kind.
    pub calls: Calls,
}

impl Counters {
    /// Counts changes that were made.
    pub fn wrote(&self, changes: &[Altered]) {
        for change in changes {
            match change.expired {
                true => self.expired_items.add(1),
                false => add(&self.written_items, 1),
            }
            let after = change.after.as_ref();
            add(&self.written_bytes, after.map_or(0, |item| item_size(item)));
        }
    }

    /// Counts a write that was not done.
    pub fn refused(&self, error: &WriteError) {
        match error {
            WriteError::ConditionFailed(_) => self.failed_conditions.add(1),
            WriteError::Throttled(_) => self.throttled(Access::Write),
            _ => {}
        }
    }

    /// Counts what capacity refused.
    pub fn throttled(&self, access: Access) {
        match access {
            Access::Read => add(&self.throttled_reads, 1),
            Access::Write => add(&self.throttled_writes, 1),
        }
    }

    /// Counts a transaction that was cancelled.
    pub fn cancelled(&self) {
        add(&self.cancelled_transactions, 1);
    }

    /// Counts an item that was read by its key, where there is one.
    pub fn read(&self, item: Option<&Item>) {
        if let Some(item) = item {
            add(&self.read_items, 1);
            add(&self.read_bytes, item_size(item));
        }
    }

    /// Counts the items that a page looked at.
    pub fn paged(&self, page: &Page) {
        add(&self.read_items, page.scanned);
        add(&self.read_bytes, page.bytes);
    }

    /// Items that were removed since they had expired, and writes whose condition did not hold, since this was asked last.
    pub fn take(&self) -> [Option<Tallied>; 2] {
        [self.expired_items.take(), self.failed_conditions.take()]
    }

    fn counts(&self) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        Counts {
            written_items: count(&self.written_items),
            written_bytes: count(&self.written_bytes),
            expired_items: self.expired_items.sum(),
            read_items: count(&self.read_items),
            read_bytes: count(&self.read_bytes),
            throttled_reads: count(&self.throttled_reads),
            throttled_writes: count(&self.throttled_writes),
            failed_conditions: self.failed_conditions.sum(),
            cancelled_transactions: count(&self.cancelled_transactions),
        }
    }
}

fn add(counter: &AtomicU64, more: usize) {
    counter.fetch_add(more as u64, Relaxed);
}

impl Tables {
    /// What all tables count and hold, by name.
    pub fn metrics(&self) -> Vec<TableMetrics> {
        let tables = self.inner.core.tables();
        tables.iter().map(|table| of_table(table)).collect()
    }

    /// What is to be told of the index that they share.
    pub fn index_metrics(&self) -> IndexMetrics {
        let core = &self.inner.core;
        IndexMetrics {
            unsynced_bytes: core.unsynced.load(Relaxed),
            unsettled_partitions: core.unsettled.lock().len(),
        }
    }
}

fn of_table(table: &Table) -> TableMetrics {
    let layout = table.layout();
    let record = &layout.record;
    let indexes = record.global.values();
    TableMetrics {
        table: record.name.clone(),
        counts: table.counters.counts(),
        partitions: record.partitions,
        streams: record.streams.len(),
        building_indexes: indexes
            .filter(|index| index.state != IndexState::Active)
            .count(),
    }
}

#[cfg(test)]
mod tests {
    use headwater_expressions::{Condition, Path};

    use super::*;
    use crate::{
        Cancellation, Transaction, Write, WriteAction,
        testing::{World, item},
    };

    #[tokio::test]
    async fn writes_reads_and_what_was_refused_are_counted() {
        let world = World::with_table(None).await;
        let path = Path {
            root: "k".into(),
            steps: Vec::new(),
        };
        let put = |condition| Write {
            key: item("k", None),
            condition,
            action: WriteAction::Put(item("k", Some("x")).into()),
        };
        let refused = put(Some(Condition::NotExists(path)));
        let tables = &world.tables;
        tables.write("t", put(None)).await.unwrap();
        tables.write("t", refused.clone()).await.unwrap_err();
        let writes = vec![("t".to_owned(), refused)];
        let transaction = Transaction {
            writes,
            token: None,
        };
        let cancelled = tables.transact(transaction).await.unwrap_err();
        assert!(matches!(cancelled, Cancellation::Reasons(_)));
        tables.read("t", &item("k", None)).await.unwrap();
        tables.read("t", &item("none", None)).await.unwrap();
        let size = item_size(&item("k", Some("x"))) as u64;
        let metrics = tables.metrics().pop().unwrap();
        let counted = Counts {
            written_items: 1,
            written_bytes: size,
            read_items: 1,
            read_bytes: size,
            failed_conditions: 2,
            cancelled_transactions: 1,
            ..Counts::default()
        };
        assert_eq!((&*metrics.table, metrics.counts), ("t", counted));
        assert_eq!((metrics.streams, metrics.building_indexes), (0, 0));
        assert_eq!(tables.index_metrics().unsettled_partitions, 0);
    }
}
