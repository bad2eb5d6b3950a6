//! The four calls that a consumer makes to a Kinesis endpoint, behind a trait so that tests can play the endpoint.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use headwater_client::CallError;
use headwater_types::{HashRange, Millis};

/// A shard of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its id.
    pub id: String,
    /// The shards that it came from: none, one of a split, two of a merge. They may have expired.
    pub parents: Vec<String>,
    /// The hash keys that it owns or owned.
    pub range: HashRange,
    /// Whether it still takes records.
    pub open: bool,
}

/// Where to start to read a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    /// At the oldest record that is kept.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
    /// At the record of this sequence number.
    At(String),
    /// At the record behind this sequence number.
    After(String),
    /// At the first record that arrived at this time or later.
    AtTime(Millis),
}

/// Some records of a shard, in order, as GetRecords gives them.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The records.
    pub records: Vec<Stored>,
    /// Where to go on; none at the end of a closed shard.
    pub next: Option<String>,
    /// The shards that follow, at the end of a closed shard.
    pub children: Vec<Shard>,
    /// Whether the shard held nothing behind these when they were read.
    pub at_tip: bool,
}

/// Some records of a shard, in order, as SubscribeToShard pushes them.
#[derive(Debug, Clone, Default)]
pub struct Pushed {
    /// The records; none tells that the shard is quiet.
    pub records: Vec<Stored>,
    /// Behind which sequence number to go on; none at the end of a closed shard.
    pub continuation: Option<String>,
    /// The shards that follow, at the end of a closed shard.
    pub children: Vec<Shard>,
}

/// The pages that a subscription pushes, until it ends by itself (after five minutes, as AWS has it), at the shard's
/// end, or with an error.
pub type Subscription = BoxStream<'static, Result<Pushed, CallError>>;

/// A record as a shard holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub sequence_number: String,
    /// When it arrived, where the endpoint says so.
    pub arrival: Option<Millis>,
    /// The key that it was put with.
    pub partition_key: String,
    /// The payload, maybe of many user records.
    pub data: Bytes,
}

/// One stream at a Kinesis endpoint.
#[async_trait]
pub trait Source: Send + Sync {
    /// ListShards, all pages.
    async fn shards(&self) -> Result<Vec<Shard>, CallError>;
    /// GetShardIterator.
    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError>;
    /// GetRecords.
    async fn read(&self, iterator: &str) -> Result<Page, CallError>;
    /// SubscribeToShard, for the registered consumer of that ARN. Nothing MUST be taken from the endpoint before it is
    /// asked of the subscription, but for what a connection holds.
    async fn subscribe(
        &self,
        consumer_arn: &str,
        shard_id: &str,
        from: &Position,
    ) -> Result<Subscription, CallError>;
}
