//! Mappings call functions, and leave what is given up in buckets, queues and topics.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use headwater_delivery::{ObjectMeta, Objects};
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Qualifier, Request};
use headwater_mappings::ports::{Answer, Destinations, HandlerError, Handlers};
use headwater_messages::{Messages, NewMessage};
use headwater_topics::Topics;
use headwater_types::Arn;

use super::invoke::named;

/// The functions of this server.
pub struct MappedFunctions {
    /// Gives each call its id.
    pub env: Env,
    /// The functions.
    pub functions: Functions,
}

/// The buckets, queues and topics of this server.
pub struct FailurePlaces {
    /// The buckets.
    pub objects: Arc<dyn Objects>,
    /// The queues.
    pub messages: Arc<Messages>,
    /// The topics, once they are open.
    pub topics: Arc<OnceLock<Arc<Topics>>>,
}

#[async_trait]
impl Handlers for MappedFunctions {
    async fn role(&self, function: &Arn) -> Result<String, HandlerError> {
        let (name, qualifier) = version_of(function)?;
        let found = self.functions.get_version(&name, qualifier.as_ref()).await;
        let function = found.map_err(|error| to_handler(error, function))?;
        Ok(function.configuration.role)
    }

    async fn call(&self, function: &Arn, event: Bytes) -> Result<Answer, HandlerError> {
        let (name, qualifier) = version_of(function)?;
        let request = Request {
            qualifier,
            request_id: self.env.random.uuid(),
            payload: event,
            client_context: None,
        };
        let done = self.functions.invoke(&name, request).await;
        let done = done.map_err(|error| to_handler(error, function))?;
        Ok(Answer {
            request_id: done.request_id,
            version: done.executed_version.to_string(),
            payload: done.payload,
            failed: done.failed,
        })
    }
}

#[async_trait]
impl Destinations for FailurePlaces {
    async fn store(&self, bucket: &Arn, name: &str, body: Bytes) -> Result<(), String> {
        let meta = ObjectMeta {
            content_type: "application/json",
            content_encoding: None,
            encryption_key: None,
        };
        let body = Box::pin(stream::iter([Ok(body)]));
        let put = self.objects.put(&bucket.resource, name, body, meta).await;
        put.map_err(|error| error.to_string())
    }

    async fn send(&self, to: &Arn, body: String) -> Result<(), String> {
        match &*to.service {
            "sqs" => self.send_to_queue(to, body).await,
            "sns" => self.publish(to, body).await,
            service => Err(format!("nothing can be sent to {service}")),
        }
    }
}

impl FailurePlaces {
    async fn publish(&self, topic: &Arn, body: String) -> Result<(), String> {
        let topics = self.topics.get().ok_or("topics are not open yet")?;
        let message = headwater_topics::Message {
            body,
            ..headwater_topics::Message::default()
        };
        let published = topics.publish(&topic.resource, vec![message]).await;
        published.map(drop).map_err(|error| error.to_string())
    }

    async fn send_to_queue(&self, queue: &Arn, body: String) -> Result<(), String> {
        let message = NewMessage {
            body,
            sender: queue.account.clone(),
            ..NewMessage::default()
        };
        let sent = self.messages.send(&queue.resource, vec![message]).await;
        let sent = sent.map_err(|error| error.to_string())?;
        let refused = sent.into_iter().find_map(Result::err);
        refused.map_or(Ok(()), |fault| Err(fault.to_string()))
    }
}

fn version_of(function: &Arn) -> Result<(FunctionName, Option<Qualifier>), HandlerError> {
    named(function).ok_or_else(|| HandlerError::NotFound(function.to_string()))
}

fn to_handler(error: Error, function: &Arn) -> HandlerError {
    match error {
        Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_) => {
            HandlerError::NotFound(function.to_string())
        }
        Error::Throttled | Error::Reserved | Error::QueueFull => HandlerError::Throttled,
        Error::PayloadTooLarge { .. } => HandlerError::TooLarge,
        other => HandlerError::Failed(other.to_string()),
    }
}
