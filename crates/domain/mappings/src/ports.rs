//! What mappings need of others: functions, queues, places for batches that are given up, and streams
//! ([`headwater_log::Sources`]).

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Arn, Millis};

/// The functions of this server.
#[async_trait]
pub trait Handlers: Send + Sync {
    /// The role that a function has, which events name.
    async fn role(&self, function: &Arn) -> Result<String, HandlerError>;

    /// Calls a function and waits for its answer.
    async fn call(&self, function: &Arn, event: Bytes) -> Result<Answer, HandlerError>;
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The call's id, a UUID.
    pub request_id: String,
    /// The version that ran.
    pub version: String,
    /// The answer, or what AWS writes of an error.
    pub payload: Bytes,
    /// Whether the function failed.
    pub failed: bool,
}

/// Why a function was not called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandlerError {
    /// There is no such function, version or alias.
    #[error("there is no function {0}")]
    NotFound(String),
    /// Too much of it runs already.
    #[error("the function is throttled")]
    Throttled,
    /// The event is larger than functions take.
    #[error("the event is too large for a function")]
    TooLarge,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// The places where batches go that are given up.
#[async_trait]
pub trait Destinations: Send + Sync {
    /// Stores what is known of a batch in a bucket. Durable when it returns; the same `name` twice is one object.
    async fn store(&self, bucket: &Arn, name: &str, body: Bytes) -> Result<(), String>;

    /// Sends what is known of a batch to a queue or a topic. Durable when it returns.
    async fn send(&self, to: &Arn, body: String) -> Result<(), String>;
}

/// The queues of this server.
#[async_trait]
pub trait Queues: Send + Sync {
    /// What a queue is like.
    async fn describe(&self, queue: &Arn) -> Result<QueueInfo, QueueError>;

    /// Receives up to `limit` messages, 10 at the most, and waits up to `wait`, 20 seconds at the most, for the first.
    async fn take(
        &self,
        queue: &Arn,
        limit: usize,
        wait: Duration,
    ) -> Result<Box<dyn Taken>, QueueError>;

    /// Deletes messages by their receipts. One that is gone already is no error.
    async fn delete(&self, queue: &Arn, receipts: &[String]) -> Result<(), QueueError>;
}

/// What a queue is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueInfo {
    /// Whether it keeps the order of its groups.
    pub is_fifo: bool,
    /// How long messages that were received are hidden from other receivers.
    pub hides_for: Duration,
}

/// Messages that were received, and are not in memory yet.
#[async_trait]
pub trait Taken: Send {
    /// Whether there are none.
    fn is_empty(&self) -> bool;

    /// How long they are hidden from other receivers, since they were taken.
    fn hidden_for(&self) -> Duration;

    /// The messages. One that expired since is left out.
    async fn read(self: Box<Self>) -> Result<Vec<Message>, QueueError>;
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// What deletes it.
    pub receipt: String,
    /// What it says.
    pub body: String,
    /// The MD5 hash of the body, in hex.
    pub body_md5: String,
    /// When it was sent.
    pub sent: Millis,
    /// What the queue says of it, names and values.
    pub system: Vec<(String, String)>,
    /// What its sender says of it.
    pub attributes: Vec<(String, MessageAttribute)>,
    /// The MD5 hash of these, in hex, where there are any.
    pub attributes_md5: Option<String>,
}

/// A thing that a message's sender says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageAttribute {
    /// Its type: `String`, `Number.int`.
    pub kind: String,
    /// Its value.
    pub value: AttributeValue,
}

/// The value of a message's attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A text or a number.
    Text(String),
    /// Bytes.
    Binary(Bytes),
}

/// Why a queue does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// There is no such queue.
    #[error("there is no queue {0}")]
    NotFound(String),
    /// Anything else; trying again may help.
    #[error("{0}")]
    Failed(String),
}
