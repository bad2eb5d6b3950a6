//! What topics need of others: the endpoints of subscriptions.

use std::{collections::BTreeMap, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::Arn;
use http::Request;

use crate::Attribute;

/// A message on its way into a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its body.
    pub body: String,
    /// Its attributes.
    pub attributes: BTreeMap<String, Attribute>,
    /// The group that it belongs to, if any.
    pub group: Option<String>,
    /// The publisher's trace, if any.
    pub trace: Option<String>,
    /// The topic that it comes from, which the queue's policy may ask for.
    pub topic: Arn,
}

/// Why an endpoint has not taken a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is not there, or does not want the message: it will not take it later either.
    #[error("{0}")]
    Refused(String),
    /// It could not take it now.
    #[error("{0}")]
    Failed(String),
}

/// The endpoints of subscriptions. A message that was taken is durable there.
#[async_trait]
pub trait Endpoints: Send + Sync {
    /// Sends a message into a queue.
    async fn send(&self, queue: &Arn, letter: Letter) -> Result<(), EndpointError>;

    /// Has a function called for a topic, once it is its turn.
    async fn invoke(&self, function: &Arn, topic: &Arn, event: Bytes) -> Result<(), EndpointError>;

    /// Puts a record into a delivery stream.
    async fn put(&self, stream: &Arn, data: Bytes) -> Result<(), EndpointError>;

    /// Sends a request; the status of its answer, or why there is none.
    async fn post(&self, request: Request<Bytes>, within: Duration) -> Result<u16, String>;
}
