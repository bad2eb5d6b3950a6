//! Messages of topics go into queues, functions and delivery streams of this server, and to addresses.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Deliveries, DeliveryError};
use headwater_env::Env;
use headwater_functions::{Error, Functions, Request as Invocation};
use headwater_lambda::{Asked, Permissions};
use headwater_messages::{Error as QueueError, Messages, NewMessage};
use headwater_topics::{
    Attribute, Value,
    ports::{EndpointError, Endpoints, Letter},
};
use headwater_types::Arn;
use http::Request;

use super::{HttpWeb, invoke::named};

/// The name that policies have for whoever sends messages of topics.
const SNS: &str = "sns.amazonaws.com";

/// The endpoints of this server, and those that HTTP reaches.
pub struct TopicEndpoints {
    /// Gives each invocation its id.
    pub env: Env,
    /// The queues, where there are some.
    pub queues: Option<Arc<Messages>>,
    /// The functions.
    pub functions: Functions,
    /// The delivery streams.
    pub deliveries: Arc<Deliveries>,
    /// HTTP.
    pub web: HttpWeb,
}

#[async_trait]
impl Endpoints for TopicEndpoints {
    async fn send(&self, queue: &Arn, letter: Letter) -> Result<(), EndpointError> {
        let queues = self.queues.as_ref().ok_or_else(|| missing(queue))?;
        let found = queues.get(&queue.resource).map_err(|_| missing(queue))?;
        if !headwater_sqs::service_may_send(&found, queue, SNS, &letter.topic) {
            return Err(not_let_in(queue, &letter.topic));
        }
        let Letter {
            body,
            attributes,
            group,
            trace,
            topic,
        } = letter;
        let attributes = attributes.into_iter();
        let message = NewMessage {
            body,
            attributes: attributes
                .map(|(name, attribute)| (name, in_queue(attribute)))
                .collect(),
            trace,
            group,
            sender: topic.account,
            ..NewMessage::default()
        };
        let sent = queues.send(&queue.resource, vec![message]).await;
        let sent = sent.map_err(|error| match error {
            QueueError::NoQueue(_) => missing(queue),
            error => EndpointError::Failed(error.to_string()),
        })?;
        match sent.into_iter().find_map(Result::err) {
            Some(fault) => Err(EndpointError::Refused(fault.to_string())),
            None => Ok(()),
        }
    }

    async fn invoke(&self, function: &Arn, topic: &Arn, event: Bytes) -> Result<(), EndpointError> {
        let (name, qualifier) = named(function).ok_or_else(|| missing(function))?;
        let asked = Asked::invoke(topic.to_string(), &*topic.account);
        let permissions = Permissions::new(self.env.clone(), self.functions.clone());
        let may = permissions.service_may(SNS, &asked, &name, qualifier.as_ref());
        match may.await {
            Ok(true) => {}
            Ok(false) => return Err(not_let_in(function, topic)),
            Err(error) => return Err(EndpointError::Failed(error.to_string())),
        }
        let request = Invocation {
            request_id: self.env.random.uuid(),
            payload: event,
            client_context: None,
            qualifier,
        };
        let kept = self.functions.invoke_later(&name, request).await;
        kept.map_err(|error| match error {
            Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_) => missing(function),
            error @ Error::PayloadTooLarge { .. } => EndpointError::Refused(error.to_string()),
            error => EndpointError::Failed(error.to_string()),
        })
    }

    async fn put(&self, stream: &Arn, data: Bytes) -> Result<(), EndpointError> {
        let name = stream.name_of("deliverystream");
        let name = name.ok_or_else(|| missing(stream))?;
        let put = self.deliveries.put(name, vec![data]).await;
        let accepted = put.map_err(|error| match error {
            DeliveryError::NotFound(_) => missing(stream),
            error @ (DeliveryError::NotDirect(_) | DeliveryError::TooLarge) => {
                EndpointError::Refused(error.to_string())
            }
            error => EndpointError::Failed(error.to_string()),
        })?;
        match accepted.ids.first() {
            Some(Some(_)) => Ok(()),
            _ => Err(EndpointError::Failed("it is throttled".to_owned())),
        }
    }

    async fn post(&self, request: Request<Bytes>, within: Duration) -> Result<u16, String> {
        let status = self.web.status(request, within).await;
        status
            .map(|status| status.as_u16())
            .map_err(|error| error.to_string())
    }
}

/// An attribute as queues have it.
fn in_queue(attribute: Attribute) -> headwater_messages::Attribute {
    let Attribute { data_type, value } = attribute;
    let value = match value {
        Value::Text(text) => headwater_messages::Value::Text(text),
        bytes @ Value::Base64(_) => headwater_messages::Value::Binary(bytes.bytes().into()),
    };
    headwater_messages::Attribute { data_type, value }
}

fn not_let_in(endpoint: &Arn, topic: &Arn) -> EndpointError {
    EndpointError::Refused(format!(
        "the policy of {endpoint} does not let {SNS} in for {topic}"
    ))
}

fn missing(arn: &Arn) -> EndpointError {
    EndpointError::Refused(format!("there is no {arn}"))
}
