//! What mappings need of others: functions, a place for batches that are given up, and streams ([`headwater_log::Sources`]).

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::Arn;

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
    /// Stores what is known of a batch. Durable when it returns; the same `name` twice is one object.
    async fn store(&self, destination: &Arn, name: &str, body: Bytes) -> Result<(), String>;
}
