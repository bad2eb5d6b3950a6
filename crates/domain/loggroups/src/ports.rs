//! What log groups need of others: the destinations of subscriptions, and the store that counted values go into.

use async_trait::async_trait;
use bytes::Bytes;
use headwater_log::ShardNumber;
use headwater_types::{Arn, Millis};

/// The destinations of subscriptions. What was taken is durable there.
#[async_trait]
pub trait Destinations: Send + Sync {
    /// Whether a function is there and lets itself be called for the group of that name.
    async fn admits(&self, function: &Arn, group: &str) -> Result<(), SendError>;

    /// Has a function called for a group, once it is its turn.
    async fn invoke(&self, function: &Arn, group: &str, event: Bytes) -> Result<(), SendError>;

    /// Puts a record into a stream of records; those of one key stay in order.
    async fn put(&self, stream: &Arn, key: &str, data: Bytes) -> Result<(), SendError>;

    /// Puts a record into a delivery stream.
    async fn deliver(&self, stream: &Arn, data: Bytes) -> Result<(), SendError>;
}

/// Why a destination has not taken a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// It will never take it: the message is too large, say.
    #[error("{0}")]
    Unfit(String),
    /// It is not there, or is not open for the group. That may change.
    #[error("{0}")]
    Refused(String),
    /// It could not take it now.
    #[error("{0}")]
    Failed(String),
}

/// Where the values that metric filters count go.
#[async_trait]
pub trait Counts: Send + Sync {
    /// Adds values and appends the note to its shard of the log, with one append that MUST be whole
    /// ([`headwater_log::ShardLog::append_whole`]): after a crash both are there or neither.
    ///
    /// # Errors
    /// What failed. Whether anything was written is not known then.
    async fn add(&self, values: Vec<Counted>, note: Note) -> Result<(), String>;
}

/// The record of the log that says what was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The shard that takes it.
    pub shard: ShardNumber,
    /// Its value; its key is empty.
    pub value: Vec<u8>,
}

/// Values of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Counted {
    /// The metric's namespace.
    pub namespace: String,
    /// The metric's name.
    pub name: String,
    /// Its dimensions, names and values, sorted by name.
    pub dimensions: Vec<(String, String)>,
    /// The name of its unit, as users write it.
    pub unit: Option<String>,
    /// The beginning of the minute that they are of.
    pub at: Millis,
    /// The values, and how often there was each.
    pub values: Vec<(f64, f64)>,
}
