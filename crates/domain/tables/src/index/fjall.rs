//! The index on the machine's disk: a log-structured merge tree, which touches its files itself, as SQLite does.

#[cfg(test)]
mod tests;

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use bytes::Bytes;
use fjall::{
    AbstractTree, Database, JournalRecoveryError, Keyspace, KeyspaceCreateOptions, KvPair,
    PersistMode, Readable, Snapshot, config::PartitioningPolicy,
};
use headwater_env::Disk;
use parking_lot::{Condvar, Mutex, MutexGuard};

use super::{Batch, Index, Lookup, Rows, Span, View, journal};
use crate::{
    Error,
    limits::{
        INDEX_CACHE_BYTES, INDEX_FILES, INDEX_JOURNAL_BYTES, INDEX_MEMTABLE_BYTES, INDEX_PAUSE,
        INDEX_PAUSES, INDEX_RUNS, INDEX_SEALED, INDEX_THREADS,
    },
};

/// All rows are in one: so a crash leaves those of the batches up to some batch, and of none behind it.
const KEYSPACE: &str = "rows";

/// An index in a folder.
pub struct FjallIndex {
    database: Database,
    rows: Keyspace,
    /// Bytes of a table in memory.
    memtable_bytes: u64,
    /// Held during a write, so that one at a time sees whether there is room.
    gate: Mutex<()>,
    /// Nobody wakes who waits here: the engine does not tell when it has room again.
    pause: Condvar,
    /// A write failed. It may have left a part of itself in the journal, behind which nothing would be found again: so
    /// nothing is written there.
    has_failed: AtomicBool,
}

impl FjallIndex {
    /// Opens the index in `folder`, which is made where it is not there. Waits for the disk.
    ///
    /// # Errors
    /// When it is damaged, in use, or cannot be read.
    pub fn open(disk: &dyn Disk, folder: &Path) -> Result<Self, Error> {
        Self::with_memtables(disk, folder, INDEX_MEMTABLE_BYTES)
    }

    /// The same with tables in memory of so many bytes.
    pub(super) fn with_memtables(
        disk: &dyn Disk,
        folder: &Path,
        memtable_bytes: u64,
    ) -> Result<Self, Error> {
        let database = open(disk, folder).map_err(|error| {
            let folder = folder.display();
            Error::Index(format!("{folder} cannot be opened: {error}").into())
        })?;
        let rows = database.keyspace(KEYSPACE, options).map_err(failed)?;
        Ok(Self {
            database,
            rows,
            memtable_bytes,
            gate: Mutex::new(()),
            pause: Condvar::new(),
            has_failed: AtomicBool::new(false),
        })
    }
}

fn open(disk: &dyn Disk, folder: &Path) -> fjall::Result<Database> {
    let open = || {
        Database::builder(folder)
            .cache_size(INDEX_CACHE_BYTES)
            .max_journaling_size(INDEX_JOURNAL_BYTES)
            .max_cached_files(Some(INDEX_FILES))
            .worker_threads(INDEX_THREADS)
            .manual_journal_persist(true)
            .open()
    };
    journal::remove_unmade(disk, folder)?;
    match open() {
        // What was synced is whole. All behind it follows from the change logs again; if more than that is damaged, the
        // partitions find that their logs forgot what they lack, and refuse.
        Err(fjall::Error::JournalRecovery(damage))
            if damage != JournalRecoveryError::InvalidFileName =>
        {
            let bytes = journal::cut(disk, folder)?;
            tracing::error!(folder = %folder.display(), %damage, bytes, "a power failure has damaged the journal of the index of tables, which was cut there: the change logs have what it lost");
            open()
        }
        opened => opened,
    }
}

/// How the rows are kept, from the making of the index on.
fn options() -> KeyspaceCreateOptions {
    // Below the first level a file is 64 MiB, whose index and filter as one would be a block of a MiB and one of a third
    // of that: a cache that cannot have those of all files would read one at each call.
    let below_the_first = || PartitioningPolicy::new([false, true]);
    KeyspaceCreateOptions::default()
        .index_block_partitioning_policy(below_the_first())
        .filter_block_partitioning_policy(below_the_first())
        // The gate has the engine begin another table in memory, and not the engine itself: it does so at its leisure, and
        // a thread of its that asks another for it may wait for itself.
        .max_memtable_size(u64::MAX)
        .manual_journal_persist(true)
}

impl FjallIndex {
    /// Does a write, unless one failed before.
    fn writing(&self, write: impl FnOnce() -> fjall::Result<()>) -> Result<(), Error> {
        if self.has_failed.load(SeqCst) {
            return Err(Error::Index("a write failed before: restart".into()));
        }
        write().map_err(|error| {
            self.has_failed.store(true, SeqCst);
            tracing::error!(%error, "the index of tables takes no more writes: restart, once the disk has room and works");
            failed(error)
        })
    }

    /// Waits until the engine has room for a batch. Without, the engine would let its tables in memory grow, or wait itself,
    /// and for ever where its threads have failed.
    fn make_room(&self, gate: &mut MutexGuard<'_, ()>) -> Result<(), Error> {
        for _ in 0..INDEX_PAUSES {
            let tree = &self.rows.tree;
            let is_full = tree.active_memtable().size() >= self.memtable_bytes;
            let sealed = tree.sealed_memtable_count();
            if is_full && sealed < INDEX_SEALED {
                self.writing(|| self.rows.rotate_memtable().map(drop))?;
            } else if !is_full && sealed <= INDEX_SEALED && tree.l0_run_count() < INDEX_RUNS {
                return Ok(());
            } else {
                self.health()?;
                self.pause.wait_for(gate, INDEX_PAUSE);
            }
        }
        Err(Error::Index(
            "its disk does not keep up with what is written".into(),
        ))
    }
}

impl Lookup for FjallIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let found = self.rows.get(key).map_err(failed)?;
        Ok(found.map(Bytes::from))
    }
}

impl Index for FjallIndex {
    fn view(&self) -> Box<dyn View> {
        Box::new(FjallView {
            snapshot: self.database.snapshot(),
            rows: self.rows.clone(),
        })
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        let mut writing = self.database.batch();
        for (key, value) in batch {
            match value {
                Some(value) => writing.insert(&self.rows, key, value),
                None => writing.remove(&self.rows, key),
            }
        }
        let mut gate = self.gate.lock();
        self.make_room(&mut gate)?;
        self.writing(|| writing.commit())
    }

    fn sync(&self) -> Result<(), Error> {
        self.writing(|| self.database.persist(PersistMode::SyncData))
    }

    fn health(&self) -> Result<(), Error> {
        // The engine says so when one of its threads has failed.
        self.writing(|| self.database.persist(PersistMode::Buffer))
    }
}

struct FjallView {
    snapshot: Snapshot,
    rows: Keyspace,
}

impl Lookup for FjallView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let found = self.snapshot.get(&self.rows, key).map_err(failed)?;
        Ok(found.map(Bytes::from))
    }
}

impl View for FjallView {
    fn range(&self, span: &Span, descending: bool) -> Rows<'_> {
        if span.is_empty() {
            return Box::new(std::iter::empty());
        }
        let rows = self
            .snapshot
            .range(&self.rows, &span.from[..]..&span.to[..]);
        let row = |(key, value): KvPair| (Bytes::from(key), Bytes::from(value));
        let read = move |guard: fjall::Guard| guard.into_inner().map(row).map_err(failed);
        match descending {
            true => Box::new(rows.rev().map(read)),
            false => Box::new(rows.map(read)),
        }
    }
}

fn failed(error: fjall::Error) -> Error {
    Error::Index(error.to_string().into())
}
