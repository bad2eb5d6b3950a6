//! What goes through a shard, counted: CloudWatch's shard-level metrics, and the load that on-demand streams scale by.

use std::{
    collections::BTreeSet,
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use headwater_types::StreamName;
use serde::{Deserialize, Serialize};

use crate::{Error, Shard, Streams};

/// A shard-level metric that can be switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "CloudWatch's names; `ShardMetrics` says what each counts"
)]
pub enum ShardMetric {
    IncomingBytes,
    IncomingRecords,
    OutgoingBytes,
    OutgoingRecords,
    WriteProvisionedThroughputExceeded,
    ReadProvisionedThroughputExceeded,
    IteratorAgeMilliseconds,
}

impl ShardMetric {
    /// All there are, in AWS's order.
    pub const ALL: [Self; 7] = [
        Self::IncomingBytes,
        Self::IncomingRecords,
        Self::OutgoingBytes,
        Self::OutgoingRecords,
        Self::WriteProvisionedThroughputExceeded,
        Self::ReadProvisionedThroughputExceeded,
        Self::IteratorAgeMilliseconds,
    ];
}

/// What went through a shard since the process started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardMetrics {
    /// Bytes of data and partition keys that were put.
    pub incoming_bytes: u64,
    /// Records that were put.
    pub incoming_records: u64,
    /// Bytes of data and partition keys that were read, but for those of subscriptions.
    pub outgoing_bytes: u64,
    /// Records that were read, but for those of subscriptions.
    pub outgoing_records: u64,
    /// Records that the shard's limits refused.
    pub write_exceeded: u64,
    /// Reads that the shard's limits refused.
    pub read_exceeded: u64,
    /// How old the last record was that the last read returned, in milliseconds.
    pub iterator_age: u64,
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

    pub fn refused_write(&self) {
        self.write_exceeded.fetch_add(1, Relaxed);
    }

    pub fn refused_read(&self) {
        self.read_exceeded.fetch_add(1, Relaxed);
    }
}

impl Shard {
    /// What went through the shard since the process started.
    pub fn metrics(&self) -> ShardMetrics {
        let of = |counter: &AtomicU64| counter.load(Relaxed);
        let counters = &self.live.counters;
        ShardMetrics {
            incoming_bytes: of(&counters.incoming_bytes),
            incoming_records: of(&counters.incoming_records),
            outgoing_bytes: of(&counters.outgoing_bytes),
            outgoing_records: of(&counters.outgoing_records),
            write_exceeded: of(&counters.write_exceeded),
            read_exceeded: of(&counters.read_exceeded),
            iterator_age: of(&counters.iterator_age),
        }
    }
}

impl Streams {
    /// Switches shard-level metrics of a stream on, or off; those that were on before.
    pub async fn monitor(
        self: &Arc<Self>,
        name: StreamName,
        metrics: BTreeSet<ShardMetric>,
        on: bool,
    ) -> Result<BTreeSet<ShardMetric>, Error> {
        let before = self.get(&name)?.record.metrics.clone();
        self.alter(name, move |record, _| {
            match on {
                true => record.metrics.extend(metrics),
                false => record.metrics.retain(|metric| !metrics.contains(metric)),
            }
            Ok(())
        })
        .await?;
        Ok(before)
    }

    /// Allows records of up to `bytes` of data and partition key; those that are larger and there already stay.
    pub async fn limit_records(
        self: &Arc<Self>,
        name: StreamName,
        bytes: u32,
    ) -> Result<(), Error> {
        self.alter(name, move |record, _| {
            record.max_record_bytes = bytes;
            Ok(())
        })
        .await
    }
}
