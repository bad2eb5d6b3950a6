//! Counting what goes through a shard: for CloudWatch's shard-level metrics, and for the load that on-demand streams scale by.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

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

/// The counters behind [`ShardMetrics`]. Always counted: it is cheap, and switching a metric on only publishes it.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    incoming_bytes: AtomicU64,
    incoming_records: AtomicU64,
    outgoing_bytes: AtomicU64,
    outgoing_records: AtomicU64,
    write_exceeded: AtomicU64,
    read_exceeded: AtomicU64,
    iterator_age: AtomicU64,
}

impl Counters {
    /// Has the processor bring those close that [`Self::wrote`] changes, and not wait for it: of thousands of shards, few
    /// are, and a change waits.
    pub fn fetch(&self) {
        black_box((
            self.incoming_records.load(Relaxed),
            self.incoming_bytes.load(Relaxed),
        ));
    }

    pub fn wrote(&self, records: usize, bytes: usize) {
        self.incoming_records.fetch_add(records as u64, Relaxed);
        self.incoming_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub fn read(&self, records: usize, bytes: usize, age: u64) {
        self.outgoing_records.fetch_add(records as u64, Relaxed);
        self.outgoing_bytes.fetch_add(bytes as u64, Relaxed);
        self.iterator_age.store(age, Relaxed);
    }

    /// A read reached the end, and found nothing or is the last.
    pub fn caught_up(&self) {
        self.iterator_age.store(0, Relaxed);
    }

    pub fn refused_write(&self) {
        self.write_exceeded.fetch_add(1, Relaxed);
    }

    pub fn refused_read(&self) {
        self.read_exceeded.fetch_add(1, Relaxed);
    }

    /// The counts so far.
    pub fn now(&self) -> ShardMetrics {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        ShardMetrics {
            incoming_bytes: of(&self.incoming_bytes),
            incoming_records: of(&self.incoming_records),
            outgoing_bytes: of(&self.outgoing_bytes),
            outgoing_records: of(&self.outgoing_records),
            write_exceeded: of(&self.write_exceeded),
            read_exceeded: of(&self.read_exceeded),
            iterator_age: of(&self.iterator_age),
        }
    }
}
