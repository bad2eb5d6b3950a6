//! The counters of a run that is measured.

use std::{collections::BTreeMap, time::Duration};

use crate::bench::{
    connection::{Failure, is_throttling},
    histogram::Histogram,
};

/// The time that is measured, by the run's clock.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Its start: the end of the warm-up.
    pub from: Duration,
    /// Its end.
    pub to: Duration,
}

impl Window {
    /// Everything.
    pub const ALWAYS: Window = Window {
        from: Duration::ZERO,
        to: Duration::MAX,
    };

    /// Whether what ended at `time` counts.
    pub fn holds(self, time: Duration) -> bool {
        self.from <= time && time < self.to
    }
}

/// The counts and times of one kind of call.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    /// Calls that succeeded.
    pub calls: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes of those.
    pub bytes: u64,
    /// How long they took.
    pub took: Histogram,
    /// Calls refused for want of throughput.
    pub throttled_calls: u64,
    /// Records refused for want of throughput while others of their call were stored.
    pub throttled_records: u64,
    /// Other errors, of calls and of records.
    pub errors: BTreeMap<String, u64>,
}

impl Meter {
    /// Counts a call that succeeded.
    pub fn success(&mut self, took: Duration, records: u64, bytes: u64) {
        self.calls += 1;
        self.records += records;
        self.bytes += bytes;
        self.took.add(took);
    }

    /// Counts a record that was refused.
    pub fn refused(&mut self, code: String) {
        match is_throttling(&code) {
            true => self.throttled_records += 1,
            false => *self.errors.entry(code).or_default() += 1,
        }
    }

    /// Counts a call that failed.
    pub fn failure(&mut self, failure: &Failure) {
        match failure.throttled {
            true => self.throttled_calls += 1,
            false => *self.errors.entry(failure.code.clone()).or_default() += 1,
        }
    }

    /// Counts all that `other` counted.
    pub fn merge(&mut self, other: &Meter) {
        self.calls += other.calls;
        self.records += other.records;
        self.bytes += other.bytes;
        self.took.merge(&other.took);
        self.throttled_calls += other.throttled_calls;
        self.throttled_records += other.throttled_records;
        other
            .errors
            .iter()
            .for_each(|(code, n)| *self.errors.entry(code.clone()).or_default() += n);
    }
}
