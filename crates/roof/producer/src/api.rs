//! The four calls that the producer makes to a Kinesis endpoint, behind a trait so that tests can lose them.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_client::CallError;
use headwater_types::{HashKey, HashRange, Millis};

/// One record of a PutRecords call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// 1 to 256 characters.
    pub partition_key: String,
    /// Where to put it, instead of the MD5 of the partition key.
    pub explicit_hash_key: Option<HashKey>,
    /// The payload.
    pub data: Bytes,
}

impl Entry {
    /// The place on the ring that decides about the shard.
    pub fn hash_key(&self) -> HashKey {
        self.explicit_hash_key
            .unwrap_or_else(|| HashKey::of(&self.partition_key))
    }

    /// The bytes that it counts towards the limits of a call.
    pub fn bytes(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// Where a record went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The shard's id.
    pub shard_id: String,
    /// The record's number in it.
    pub sequence_number: String,
}

/// Why one entry of a call was not taken, while others may have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// `ProvisionedThroughputExceededException` or `InternalFailure`.
    pub code: String,
    /// The text for people.
    pub message: String,
}

/// A shard of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: String,
    /// The hash keys that it owns or owned.
    pub range: HashRange,
    /// Whether it still takes records.
    pub open: bool,
}

/// Where to start to read a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record that is kept.
    Start,
    /// At the record behind this sequence number.
    After(String),
    /// At the first record that arrived at this time or later.
    At(Millis),
}

/// Some records of a shard, in order.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records.
    pub records: Vec<Stored>,
    /// Where to go on; none at the end of a closed shard.
    pub next: Option<String>,
    /// Whether the shard held nothing behind these when they were read.
    pub at_tip: bool,
}

/// A record as a shard holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub sequence_number: String,
    /// When it arrived, in milliseconds since the epoch, where the endpoint says so.
    pub arrival: Option<i64>,
    /// The key that it was put with.
    pub partition_key: String,
    /// The payload.
    pub data: Bytes,
}

/// One stream at a Kinesis endpoint. No call is tried again in here: the producer decides about that.
#[async_trait]
pub trait Stream: Send + Sync {
    /// PutRecords: an outcome for each entry, in order.
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError>;
    /// ListShards, all pages.
    async fn shards(&self) -> Result<Vec<Shard>, CallError>;
    /// GetShardIterator.
    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError>;
    /// GetRecords.
    async fn read(&self, iterator: &str) -> Result<Page, CallError>;
}
