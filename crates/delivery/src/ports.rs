//! What a delivery needs of others: a source of records, a function, an object store, a log for its errors.
//!
//! `server` gives the adapters; the tests give in-memory ones that fail on demand.

use std::{io, pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::Stream;
use headwater_types::{Arn, Millis};

/// Finds the streams that deliveries read.
#[async_trait]
pub trait Sources: Send + Sync {
    /// The stream named by `arn`.
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError>;
}

/// A stream as a delivery reads it: shards whose records have dense offsets from 0.
#[async_trait]
pub trait Source: Send + Sync {
    /// A text that no stream made later under the same name shares (its time of creation, say).
    fn identity(&self) -> String;

    /// All shards that can still be read, open or ended.
    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError>;

    /// Records of `shard` from `from` on, within `limit`; at least one where there is one. A position before the
    /// trim point starts at the trim point.
    async fn read(&self, shard: &str, from: u64, limit: SourceLimit) -> Result<SourceChunk, SourceError>;

    /// Returns once `shard` has a record at or after `from`, or ended, or is gone. May return early.
    async fn wait(&self, shard: &str, from: u64);
}

/// A shard of a [`Source`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceShard {
    /// Its id: `shardId-000000000000`.
    pub id: String,
    /// The shards that it was split off or merged from; they are read to their end before it.
    pub parents: Vec<String>,
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

/// What a read found.
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
    /// The number that other readers know it by.
    pub sequence_number: String,
    /// Its partition key; empty where the source has none.
    pub partition_key: String,
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

/// Calls functions.
#[async_trait]
pub trait Invoke: Send + Sync {
    /// Calls the function `arn` with a JSON payload and waits for its JSON answer.
    async fn invoke(&self, arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError>;
}

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It ran and failed: it threw, ran out of time or memory, or answered too much.
    #[error("the function failed: {0}")]
    Function(String),
    /// Too much of it runs already.
    #[error("the function is throttled")]
    Throttled,
    /// The payload or the answer is larger than functions take.
    #[error("the request is too large for a function")]
    TooLarge,
    /// There is no such function.
    #[error("there is no function {0}")]
    NotFound(String),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// The chunks of an object. One that ends in an error MUST leave no object behind, and no change to one that was
/// there.
pub type Body = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// What an object is put with besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectMeta {
    /// `application/octet-stream`.
    pub content_type: &'static str,
    /// `gzip`, where it is.
    pub content_encoding: Option<&'static str>,
}

/// Stores objects.
#[async_trait]
pub trait Objects: Send + Sync {
    /// Puts an object, replacing what had its key. Atomic, and durable when it returns.
    async fn put(&self, bucket: &str, key: &str, body: Body, meta: ObjectMeta) -> Result<(), ObjectsError>;

    /// Removes an object; fine where there is none.
    async fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectsError>;

    /// Whether the bucket is there. Asked before work is done again that would fail without it.
    async fn bucket_exists(&self, bucket: &str) -> Result<bool, ObjectsError>;
}

/// Why the object store did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// There is no such bucket.
    #[error("the bucket {0} does not exist")]
    NoBucket(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}

/// Keeps the error lines of deliveries that are configured to log.
#[async_trait]
pub trait LogSink: Send + Sync {
    /// Appends one line to a log stream, making it where it is missing. Failures are the sink's own business.
    async fn append(&self, group: &str, stream: &str, time: Millis, line: String);
}

/// Everything that deliveries need of others.
#[derive(Clone)]
pub struct Ports {
    /// The streams that are read.
    pub sources: Arc<dyn Sources>,
    /// The functions that transform.
    pub invoke: Arc<dyn Invoke>,
    /// Where objects go.
    pub objects: Arc<dyn Objects>,
    /// Where error lines go.
    pub logs: Arc<dyn LogSink>,
}
