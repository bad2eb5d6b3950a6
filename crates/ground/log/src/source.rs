//! A stream of shards as the domains that read it see it.
//!
//! A port without an implementation here: the streams offer it, and deliveries and queues read through it, so
//! that none of them knows the others.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Arn, Millis, SequenceNumber};

/// Finds the streams there are.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The stream named by `arn`.
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError>;
}

/// A stream as other domains read it: shards whose records have dense offsets from 0.
#[async_trait]
pub trait Source: Send + Sync {
    /// A text that no stream made later under the same name shares (its time of creation, say).
    fn identity(&self) -> String;

    /// All shards that can still be read, open or ended.
    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError>;

    /// Records of `shard` from `from` on, within `limit`; at least one where there is one. A position before the
    /// trim point starts at the trim point.
    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError>;

    /// The first offset of `shard` whose record arrived at or after `time`; the end when there is none.
    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError>;

    /// Returns once `shard` has a record at or after `from`, or ended, or is gone. May return early.
    async fn wait(&self, shard: &str, from: u64);

    /// The number that other readers know a record by.
    fn number(&self, record: &SourceRecord) -> String {
        record.sequence_number.to_string()
    }
}

/// A shard of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceShard {
    /// Its id: `shardId-000000000000`.
    pub id: String,
    /// The shards that it was split off or merged from; they are read to their end before it.
    pub parents: Vec<String>,
    /// The oldest offset that can still be read.
    pub first: u64,
    /// One past its newest record.
    pub end: u64,
    /// Whether it takes no more records.
    pub ended: bool,
}

/// How much a read returns at the most.
#[derive(Debug, Clone, Copy)]
pub struct SourceLimit {
    /// Records.
    pub records: usize,
    /// Bytes of data.
    pub bytes: usize,
}

/// The outcome of a read.
#[derive(Debug, Clone)]
pub struct SourceChunk {
    /// The records, in order.
    pub records: Vec<SourceRecord>,
    /// Where the next read goes on.
    pub next: u64,
    /// One past the shard's newest record.
    pub end: u64,
    /// Whether the shard takes no more records.
    pub ended: bool,
}

/// A record of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRecord {
    /// Its place in its shard.
    pub offset: u64,
    /// The number that other readers know it by, where [`Source::number`] names no other.
    pub sequence_number: SequenceNumber,
    /// Its partition key, UTF-8; empty where the source has none.
    pub partition_key: Bytes,
    /// The data as it was put, perhaps an aggregate of several records.
    pub data: Bytes,
    /// When it arrived.
    pub arrival: Millis,
}

/// Why a source cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is no such stream or shard; its name.
    #[error("{0} does not exist")]
    NotFound(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}
