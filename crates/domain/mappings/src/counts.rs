//! What a mapping counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use headwater_types::{Tallied, Tally};

/// The counters of one mapping, since the server started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    failed_calls: AtomicU64,
    records: AtomicU64,
    given_up: AtomicU64,
    expired: AtomicU64,
    blocked: AtomicU64,
    /// The age of the newest record that was done, when it was.
    age_ms: AtomicU64,
    /// The same of each batch.
    ages_ms: Tally,
}

/// What a mapping has counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MappingMetrics {
    /// Calls of the function.
    pub calls: u64,
    /// Those of them that failed.
    pub failed_calls: u64,
    /// Records that are done.
    pub records: u64,
    /// Records that were given up.
    pub given_up: u64,
    /// Records that expired in the stream before they were called with.
    pub expired: u64,
    /// Lanes that do not come on: their batch was tried and is to be tried again.
    pub blocked: u64,
    /// How old, in milliseconds, the newest record of the last batch was when it was done.
    pub age_ms: u64,
}

impl Counts {
    pub fn called(&self, failed: bool) {
        self.calls.fetch_add(1, Relaxed);
        self.failed_calls.fetch_add(failed.into(), Relaxed);
    }

    pub fn done(&self, records: usize, age_ms: u64) {
        self.records.fetch_add(records as u64, Relaxed);
        self.age_ms.store(age_ms, Relaxed);
        self.ages_ms.add(age_ms);
    }

    /// How old the newest record of each batch was that was done since this was asked last.
    pub fn take_ages(&self) -> Option<Tallied> {
        self.ages_ms.take()
    }

    pub fn gave_up(&self, records: usize) {
        self.given_up.fetch_add(records as u64, Relaxed);
    }

    pub fn expired(&self, records: u64) {
        self.expired.fetch_add(records, Relaxed);
    }

    /// A lane that is blocked until the guard is dropped.
    pub fn blocked(&self) -> Blocked<'_> {
        self.blocked.fetch_add(1, Relaxed);
        Blocked(self)
    }

    pub fn metrics(&self) -> MappingMetrics {
        MappingMetrics {
            calls: self.calls.load(Relaxed),
            failed_calls: self.failed_calls.load(Relaxed),
            records: self.records.load(Relaxed),
            given_up: self.given_up.load(Relaxed),
            expired: self.expired.load(Relaxed),
            blocked: self.blocked.load(Relaxed),
            age_ms: self.age_ms.load(Relaxed),
        }
    }
}

/// A lane that is blocked.
pub(crate) struct Blocked<'a>(&'a Counts);

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0.blocked.fetch_sub(1, Relaxed);
    }
}
