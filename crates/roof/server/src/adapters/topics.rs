//! Messages of topics go into queues, functions and delivery streams of this server, and to addresses.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Deliveries, DeliveryError, Web};
use headwater_env::Env;
use headwater_functions::{Error, Functions, Request as Invocation};
use headwater_topics::ports::{EndpointError, Endpoints, Letter};
use headwater_types::Arn;
use http::Request;
use std::sync::Arc;

use super::{HttpWeb, invoke::named};

/// The most bytes of an answer that are read; only its status matters.
const ANSWER_BYTES: usize = 64 * 1024;

/// The endpoints of this server, and those that HTTP reaches.
pub struct TopicEndpoints {
    /// Gives each invocation its id.
    pub env: Env,
    /// The functions.
    pub functions: Functions,
    /// The delivery streams.
    pub deliveries: Arc<Deliveries>,
    /// HTTP.
    pub web: HttpWeb,
}

#[async_trait]
impl Endpoints for TopicEndpoints {
    async fn send(&self, queue: &Arn, _: Letter) -> Result<(), EndpointError> {
        Err(missing(queue))
    }

    async fn invoke(&self, function: &Arn, event: Bytes) -> Result<(), EndpointError> {
        let (name, qualifier) = named(function).ok_or_else(|| missing(function))?;
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
        let answer = self.web.send(request, within, ANSWER_BYTES).await;
        match answer {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn missing(arn: &Arn) -> EndpointError {
    EndpointError::Refused(format!("there is no {arn}"))
}
