//! What a mapping counts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use headwater_types::{Millis, Tallied, Tally};
use parking_lot::Mutex;

/// The counters of one mapping, since the server started.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    calls: AtomicU64,
    failed_calls: AtomicU64,
    records: AtomicU64,
    given_up: AtomicU64,
    expired: AtomicU64,
    /// What holds up each lane that is blocked, in the order in which they were.
    troubles: Mutex<Vec<(u64, Trouble)>>,
    /// Numbers them.
    numbered: AtomicU64,
    /// The age of the newest record that was done, when it was.
    age_ms: AtomicU64,
    /// The same of each batch.
    ages_ms: Tally,
}

/// A lane that does not come on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Millis,
    /// Its shard; none where the mapping reads a queue, or cannot read its source at all.
    pub shard: Option<String>,
    /// The number of the first record of the batch that is tried again, once a call with it failed.
    pub record: Option<String>,
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

    /// A lane, of a shard where it has one, that is blocked from `since` on until the guard is dropped.
    pub fn blocked(&self, since: Millis, shard: Option<&str>) -> Blocked<'_> {
        let number = self.numbered.fetch_add(1, Relaxed);
        let trouble = Trouble {
            since,
            shard: shard.map(str::to_owned),
            record: None,
        };
        self.troubles.lock().push((number, trouble));
        Blocked(self, number)
    }

    /// What holds up the lane that is blocked for the longest time.
    pub fn trouble(&self) -> Option<Trouble> {
        let troubles = self.troubles.lock();
        troubles.first().map(|(_, trouble)| trouble.clone())
    }

    pub fn metrics(&self) -> MappingMetrics {
        MappingMetrics {
            calls: self.calls.load(Relaxed),
            failed_calls: self.failed_calls.load(Relaxed),
            records: self.records.load(Relaxed),
            given_up: self.given_up.load(Relaxed),
            expired: self.expired.load(Relaxed),
            blocked: self.troubles.lock().len() as u64,
            age_ms: self.age_ms.load(Relaxed),
        }
    }
}

/// A lane that is blocked.
pub(crate) struct Blocked<'a>(&'a Counts, u64);

impl Blocked<'_> {
    /// The number of the record that the lane stands before.
    pub fn before(&self, record: Option<&str>) {
        let mut troubles = self.0.troubles.lock();
        let of_it = troubles.iter_mut().find(|(number, _)| *number == self.1);
        if let Some((_, trouble)) = of_it {
            trouble.record = record.map(str::to_owned);
        }
    }
}

impl Drop for Blocked<'_> {
    fn drop(&mut self) {
        self.0
            .troubles
            .lock()
            .retain(|(number, _)| *number != self.1);
    }
}
