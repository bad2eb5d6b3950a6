//! What functions need of others: places at which the ends of events are told.

use async_trait::async_trait;
use headwater_types::{Arn, Millis};

use crate::FunctionName;

/// Queues, topics and buckets, where the ends of events are told.
#[async_trait]
pub trait Outlets: Send + Sync {
    /// Whether it has places of a service, as an ARN names it.
    fn serves(&self, service: &str) -> bool;

    /// Whether there is such a place.
    async fn is_there(&self, place: &Arn) -> bool;

    /// Tells the end of an event; durable when it returns. It may be told again after a crash.
    async fn tell(&self, told: &Told) -> Result<(), Untold>;
}

/// The end of an event, as it is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The place.
    pub place: Arn,
    /// The function.
    pub function: FunctionName,
    /// The event's id, a UUID.
    pub request_id: String,
    /// When the event ended.
    pub ended: Millis,
    /// JSON: an account of the end, or the event itself where that is dead.
    pub body: String,
    /// The error of a dead event.
    pub dead: Option<DeadLetter>,
    /// The name of the invocation to X-Ray.
    pub trace: String,
}

/// The reason why an event is dead.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DeadLetter {
    /// An HTTP status.
    pub code: u16,
    /// The function's error, or the service's.
    pub message: String,
}

/// Why an end was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untold {
    /// It never will be: the place is not there, or takes nothing so large.
    Refused(String),
    /// It may be, later.
    Failed(String),
}
