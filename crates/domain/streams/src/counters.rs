//! Counting what goes through a shard: for those who publish it, and for the load that on-demand streams scale by.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use headwater_types::{Tallied, Tally};
use parking_lot::Mutex;

use crate::arrivals::{Arrived, Arriving};

/// Counts of what went through a shard since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardMetrics {
    /// Bytes of data and partition keys that were put.
    pub incoming_bytes: u64,
    /// Records that were put.
    pub incoming_records: u64,
    /// Bytes of data and partition keys that were read, without those of subscriptions.
    pub outgoing_bytes: u64,
    /// Records that were read, without those of subscriptions.
    pub outgoing_records: u64,
    /// Records that the shard's limits refused.
    pub write_exceeded: u64,
    /// Reads that the shard's limits refused.
    pub read_exceeded: u64,
    /// How old the last record was that the last read returned, in milliseconds; 0 when it reached the shard's end, and
    /// there was none or the shard is closed.
    pub iterator_age: u64,
}

impl ShardMetrics {
    /// The counts of two shards together, and the higher of the two ages.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            incoming_bytes: self.incoming_bytes + other.incoming_bytes,
            incoming_records: self.incoming_records + other.incoming_records,
            outgoing_bytes: self.outgoing_bytes + other.outgoing_bytes,
            outgoing_records: self.outgoing_records + other.outgoing_records,
            write_exceeded: self.write_exceeded + other.write_exceeded,
            read_exceeded: self.read_exceeded + other.read_exceeded,
            iterator_age: self.iterator_age.max(other.iterator_age),
        }
    }
}

/// What calls had of a shard since this was taken last, without what arrived; each value is one call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardCalls {
    /// Bytes of data and partition keys that a read returned.
    pub outgoing_bytes: Option<Tallied>,
    /// Records that a read returned.
    pub outgoing_records: Option<Tallied>,
    /// How old the last record was that a read returned, in milliseconds; 0 when it reached the shard's end.
    pub iterator_age: Option<Tallied>,
    /// Records of a put that the limits refused.
    pub write_exceeded: Option<Tallied>,
    /// Whether the limits refused a read: 1, or 0 where they did not.
    pub read_exceeded: Option<Tallied>,
}

/// The counters behind [`ShardMetrics`]. Always counted: it is cheap, and switching a metric on only publishes it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The lock is held for a few additions, in place of as many of their own.
    arriving: Mutex<Arriving>,
    outgoing_bytes: Tally,
    outgoing_records: Tally,
    iterator_ages: Tally,
    write_exceeded: Tally,
    read_exceeded: Tally,
    iterator_age: AtomicU64,
}

impl Counters {
    /// Has the processor bring those close that [`Self::wrote`] changes, and not wait for it: of thousands of shards, few
    /// are, and a change waits.
    pub fn fetch(&self) {
        black_box(self.arriving.is_locked());
    }

    /// A call put records, which arrived in a minute.
    pub fn wrote(&self, minute: u64, records: usize, bytes: usize) {
        let mut arriving = self.arriving.lock();
        arriving.add(minute, records as u64, bytes as u64);
    }

    /// What is known to have arrived in a minute: no more than what did, for not every caller stays to be counted.
    pub fn arrived(&self, minute: u64) -> Option<Arrived> {
        self.arriving.lock().of(minute)
    }

    /// A read returned records, the last of them so old, or none at all.
    pub fn read(&self, records: usize, bytes: usize, age: u64) {
        self.outgoing_records.add(records as u64);
        self.outgoing_bytes.add(bytes as u64);
        self.iterator_ages.add(age);
        self.read_exceeded.add(0);
    }

    /// How old the newest record is that was read.
    pub fn is_at(&self, age: u64) {
        self.iterator_age.store(age, Relaxed);
    }

    /// The limits refused so many records of a call.
    pub fn refused_writes(&self, records: usize) {
        self.write_exceeded.add(records as u64);
    }

    pub fn refused_read(&self) {
        self.read_exceeded.add(1);
    }

    /// The counts so far.
    pub fn now(&self) -> ShardMetrics {
        let (incoming_records, incoming_bytes) = self.arriving.lock().totals();
        ShardMetrics {
            incoming_bytes,
            incoming_records,
            outgoing_bytes: self.outgoing_bytes.sum(),
            outgoing_records: self.outgoing_records.sum(),
            write_exceeded: self.write_exceeded.sum(),
            read_exceeded: self.read_exceeded.sum(),
            iterator_age: self.iterator_age.load(Relaxed),
        }
    }

    /// What was counted since this was asked last.
    pub fn take(&self) -> ShardCalls {
        ShardCalls {
            outgoing_bytes: self.outgoing_bytes.take(),
            outgoing_records: self.outgoing_records.take(),
            iterator_age: self.iterator_ages.take(),
            write_exceeded: self.write_exceeded.take(),
            read_exceeded: self.read_exceeded.take(),
        }
    }
}
