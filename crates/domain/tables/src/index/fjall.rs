//! The index on the machine's disk: a log-structured merge tree, which touches its files itself, as SQLite does.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvPair, PersistMode, Readable, Snapshot};

use super::{Batch, Index, Rows, Span, View};
use crate::{
    Error,
    limits::{
        INDEX_CACHE_BYTES, INDEX_FILES, INDEX_JOURNAL_BYTES, INDEX_MEMTABLE_BYTES, INDEX_THREADS,
    },
};

/// All rows are in one: so a crash leaves those of the batches up to some batch, and of none behind it.
const KEYSPACE: &str = "rows";

/// An index in a folder.
pub struct FjallIndex {
    database: Database,
    rows: Keyspace,
    /// A write failed. It may have left a part of itself in the journal, behind which nothing would be found again: so
    /// nothing is written there.
    has_failed: AtomicBool,
}

impl FjallIndex {
    /// Opens the index in `folder`, which is made where it is not there. Waits for the disk.
    ///
    /// # Errors
    /// When it is damaged, in use, or cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let database = Database::builder(folder)
            .cache_size(INDEX_CACHE_BYTES)
            .max_journaling_size(INDEX_JOURNAL_BYTES)
            .max_cached_files(Some(INDEX_FILES))
            .worker_threads(INDEX_THREADS)
            .manual_journal_persist(true)
            .open();
        let database = database.map_err(|error| {
            let folder = folder.display();
            Error::Index(format!("{folder} cannot be opened: {error}").into())
        })?;
        let options = || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(INDEX_MEMTABLE_BYTES)
                .manual_journal_persist(true)
        };
        let rows = database.keyspace(KEYSPACE, options).map_err(failed)?;
        Ok(Self {
            database,
            rows,
            has_failed: AtomicBool::new(false),
        })
    }
}

impl FjallIndex {
    /// Does a write, unless one failed before.
    fn writing(&self, write: impl FnOnce() -> fjall::Result<()>) -> Result<(), Error> {
        self.health()?;
        write().map_err(|error| {
            self.has_failed.store(true, SeqCst);
            tracing::error!(%error, "the index of tables takes no more writes: restart, once the disk has room and works");
            failed(error)
        })
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
        self.writing(|| writing.commit())
    }

    fn sync(&self) -> Result<(), Error> {
        self.writing(|| self.database.persist(PersistMode::SyncData))
    }

    fn health(&self) -> Result<(), Error> {
        match self.has_failed.load(SeqCst) {
            true => Err(Error::Index("a write failed before: restart".into())),
            false => Ok(()),
        }
    }
}

struct FjallView {
    snapshot: Snapshot,
    rows: Keyspace,
}

impl View for FjallView {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        let found = self.snapshot.get(&self.rows, key).map_err(failed)?;
        Ok(found.map(Bytes::from))
    }

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
