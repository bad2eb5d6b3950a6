//! Counters of a producer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counts of a producer's work so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records stored, as they were put (user records, where they are aggregated).
    pub sent: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Entries of calls that were sent again.
    pub retried: u64,
    /// Entries whose answer was lost and that were found stored.
    pub found: u64,
    /// Records that went to another shard in an aggregated record, because of a resharding, and were put again.
    pub misplaced: u64,
    /// Records given up.
    pub failed: u64,
    /// PutRecords calls made.
    pub calls: u64,
}

/// The same, counted from many tasks.
#[derive(Default)]
pub(crate) struct Counters {
    pub sent: AtomicU64,
    pub bytes: AtomicU64,
    pub retried: AtomicU64,
    pub found: AtomicU64,
    pub misplaced: AtomicU64,
    pub failed: AtomicU64,
    pub calls: AtomicU64,
}

impl Counters {
    pub fn read(&self) -> Stats {
        Stats {
            sent: self.sent.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            retried: self.retried.load(Relaxed),
            found: self.found.load(Relaxed),
            misplaced: self.misplaced.load(Relaxed),
            failed: self.failed.load(Relaxed),
            calls: self.calls.load(Relaxed),
        }
    }
}

/// Adds to a counter.
pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Relaxed);
}
