//! What all parts of the tables share: which tables there are, and what they are kept in.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use bytes::Bytes;
use headwater_catalog::{Version, Versioned};
use headwater_env::Env;
use headwater_log::{Retention, ShardLog, ShardNumber};
use headwater_sealing::Tokens;
use headwater_types::Millis;
use parking_lot::{Mutex, RwLock};

use crate::{
    Error, TableRecord, TableState,
    capacity::Capacity,
    counts::Counters,
    index::{Batch, Index, View},
    keys::{table_of, transactions},
    layout::Layout,
    store::Store,
};

/// The tables, and what they are kept in.
pub(crate) struct Core {
    pub env: Env,
    pub store: Store,
    pub log: Arc<dyn ShardLog>,
    pub index: Arc<dyn Index>,
    pub known: RwLock<Known>,
    /// The tokens in which readers of streams hold their positions.
    pub positions: Tokens,
    /// Partitions that may lack changes of a transaction that was done, as while it is under way, and since when: they get
    /// them before anything else is written.
    pub unsettled: Mutex<BTreeMap<(u64, u16), Millis>>,
    /// Bytes that were written to the index and may not be durable.
    pub unsynced: AtomicU64,
    /// Held while the index is synced: who finds nothing unsynced must not trim before that is so.
    pub syncing: tokio::sync::Mutex<()>,
    /// Whether limits on capacity hold.
    pub limits: AtomicBool,
}

/// The tables that there are.
#[derive(Default)]
pub(crate) struct Known {
    pub by_name: BTreeMap<String, Arc<Table>>,
    by_number: HashMap<u64, Arc<Table>>,
}

/// A table, as all share it.
pub(crate) struct Table {
    pub number: u64,
    pub capacity: Capacity,
    pub counters: Counters,
    current: RwLock<(Arc<Layout>, Version)>,
}

impl Table {
    /// A table that is known since `now`.
    pub fn new(found: Versioned<TableRecord>, now: Duration) -> Self {
        Self {
            number: found.value.number,
            capacity: Capacity::new(&found.value, now),
            counters: Counters::default(),
            current: RwLock::new((Arc::new(Layout::new(found.value)), found.version)),
        }
    }

    /// The table as it is now.
    pub fn layout(&self) -> Arc<Layout> {
        self.current.read().0.clone()
    }

    /// The same, with the version that it has in the catalog.
    pub fn current(&self) -> (Arc<Layout>, Version) {
        self.current.read().clone()
    }

    pub fn replace(&self, record: TableRecord, version: Version, now: Duration) {
        self.capacity.follow(&record, now);
        *self.current.write() = (Arc::new(Layout::new(record)), version);
    }
}

impl Known {
    pub fn insert(&mut self, found: Versioned<TableRecord>, now: Duration) -> Arc<Table> {
        let name = found.value.name.clone();
        let table = Arc::new(Table::new(found, now));
        self.by_number.insert(table.number, table.clone());
        self.by_name.insert(name, table.clone());
        table
    }

    pub fn remove(&mut self, name: &str) {
        if let Some(table) = self.by_name.remove(name) {
            self.by_number.remove(&table.number);
        }
    }
}

impl Core {
    /// The table of this name.
    pub fn table(&self, name: &str) -> Result<Arc<Table>, Error> {
        let table = self.known.read().by_name.get(name).cloned();
        table.ok_or_else(|| Error::NoTable(name.to_owned()))
    }

    /// The table with this number.
    pub fn numbered(&self, number: u64) -> Option<Arc<Table>> {
        self.known.read().by_number.get(&number).cloned()
    }

    /// Whether a shard has changes of a table that is there, or has transactions.
    pub fn has_shard(&self, shard: ShardNumber) -> bool {
        let table = table_of(shard);
        shard == transactions() || table.is_some_and(|table| self.numbered(table).is_some())
    }

    /// All tables.
    pub fn tables(&self) -> Vec<Arc<Table>> {
        self.known.read().by_name.values().cloned().collect()
    }

    /// The index as it is now.
    pub fn view(&self) -> Box<dyn View> {
        self.index.view()
    }

    /// Writes a batch to the index.
    pub async fn write(self: &Arc<Self>, batch: Batch) -> Result<(), Error> {
        let core = self.clone();
        self.env.blocking(move || core.write_now(batch)).await
    }

    /// The same. Waits for the disk.
    pub fn write_now(&self, batch: Batch) -> Result<(), Error> {
        let size = |(key, value): &(Bytes, Option<Bytes>)| {
            key.len() + value.as_ref().map_or(0, Bytes::len)
        };
        let bytes: usize = batch.iter().map(size).sum();
        self.unsynced.fetch_add(bytes as u64, SeqCst);
        self.index.write(batch)
    }

    /// Makes durable what the index has.
    pub async fn sync(&self) -> Result<(), Error> {
        let _one = self.syncing.lock().await;
        let index = self.index.clone();
        let written = self.unsynced.load(SeqCst);
        self.env.blocking(move || index.sync()).await?;
        self.unsynced.fetch_sub(written, SeqCst);
        Ok(())
    }
}

/// A record as it shows at `now`: what takes no time is over.
pub(crate) fn shown(record: &TableRecord, now: Millis) -> TableRecord {
    let mut record = record.clone();
    match record.state {
        TableState::Creating(until) | TableState::Updating(until) if until <= now => {
            record.state = TableState::Active;
        }
        _ => {}
    }
    record
}

/// How long the log keeps changes: from `floor` on, for ever.
pub(crate) fn kept_from(floor: Millis) -> Retention {
    const THOUSAND_YEARS: u64 = 365_000 * 24 * 3600;
    Retention {
        period: Duration::from_secs(THOUSAND_YEARS),
        floor,
    }
}
