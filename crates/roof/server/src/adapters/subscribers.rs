//! Events of log groups go into streams, functions and delivery streams of this server.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{Deliveries, DeliveryError};
use headwater_env::Env;
use headwater_functions::{Error, FunctionName, Functions, Qualifier, Request};
use headwater_lambda::{Asked, Permissions};
use headwater_loggroups::ports::{Destinations, SendError};
use headwater_streams::{Error as StreamError, PutEntry, Streams};
use headwater_types::{Arn, StreamName};
use headwater_wire::Place;

use super::invoke::named;

/// The destinations of this server.
pub struct LogSubscribers {
    /// Gives each invocation its id.
    pub env: Env,
    /// Where all is.
    pub place: Place,
    /// The streams of records.
    pub streams: Arc<Streams>,
    /// The functions.
    pub functions: Functions,
    /// The delivery streams.
    pub deliveries: Arc<Deliveries>,
}

impl LogSubscribers {
    /// Whether a thing is of this place.
    fn find(&self, arn: &Arn) -> Result<(), SendError> {
        let is_here = arn.region == self.place.region.0 && arn.account == self.place.account.0;
        if is_here { Ok(()) } else { Err(missing(arn)) }
    }

    /// The function that lets itself be called for a group. Policies name the service with the region or without.
    async fn admitted(
        &self,
        function: &Arn,
        group: &str,
    ) -> Result<(FunctionName, Option<Qualifier>), SendError> {
        self.find(function)?;
        let (name, qualifier) = named(function).ok_or_else(|| missing(function))?;
        let Place {
            account, region, ..
        } = &self.place;
        let group = Arn::new("logs", region, account, format!("log-group:{group}:*"));
        let asked = Asked::invoke(group.to_string(), &*account.0);
        let permissions = Permissions::new(self.env.clone(), self.functions.clone());
        let regional = format!("logs.{}.amazonaws.com", region.0);
        for service in [regional.as_str(), "logs.amazonaws.com"] {
            let may = permissions.service_may(service, &asked, &name, qualifier.as_ref());
            if may
                .await
                .map_err(|error| SendError::Failed(error.to_string()))?
            {
                return Ok((name, qualifier));
            }
        }
        Err(SendError::Refused(format!(
            "the policy of {function} does not let logs.amazonaws.com in for {group}"
        )))
    }
}

#[async_trait]
impl Destinations for LogSubscribers {
    async fn admits(&self, function: &Arn, group: &str) -> Result<(), SendError> {
        let (name, qualifier) = self.admitted(function, group).await?;
        let found = self.functions.get_version(&name, qualifier.as_ref()).await;
        found.map(drop).map_err(|_| missing(function))
    }

    async fn invoke(&self, function: &Arn, group: &str, event: Bytes) -> Result<(), SendError> {
        let (name, qualifier) = self.admitted(function, group).await?;
        let request = Request {
            request_id: self.env.random.uuid(),
            payload: event,
            client_context: None,
            qualifier,
        };
        let kept = self.functions.invoke_later(&name, request).await;
        kept.map_err(|error| match error {
            Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_) => missing(function),
            error @ Error::PayloadTooLarge { .. } => SendError::Unfit(error.to_string()),
            error => SendError::Failed(error.to_string()),
        })
    }

    async fn put(&self, stream: &Arn, key: &str, data: Bytes) -> Result<(), SendError> {
        self.find(stream)?;
        let name: Option<StreamName> = stream.name_of("stream").and_then(|name| name.parse().ok());
        let name = name.ok_or_else(|| missing(stream))?;
        let found = self.streams.get(&name).map_err(|_| missing(stream))?;
        let entry = PutEntry {
            partition_key: key.to_owned().into(),
            hash_key: None,
            data,
        };
        let put = self.streams.put(&found, vec![entry]).await;
        let placed = put.map_err(|error| match error {
            StreamError::NoStream(_) => missing(stream),
            error @ StreamError::RecordTooLarge { .. } => SendError::Unfit(error.to_string()),
            error => SendError::Failed(error.to_string()),
        })?;
        match placed.into_iter().find_map(Result::err) {
            Some(error) => Err(SendError::Failed(error.to_string())),
            None => Ok(()),
        }
    }

    async fn deliver(&self, stream: &Arn, data: Bytes) -> Result<(), SendError> {
        self.find(stream)?;
        let name = stream.name_of("deliverystream");
        let name = name.ok_or_else(|| missing(stream))?;
        let put = self.deliveries.put(name, vec![data]).await;
        let accepted = put.map_err(|error| match error {
            DeliveryError::NotFound(_) => missing(stream),
            error @ DeliveryError::TooLarge => SendError::Unfit(error.to_string()),
            error @ DeliveryError::NotDirect(_) => SendError::Refused(error.to_string()),
            error => SendError::Failed(error.to_string()),
        })?;
        match accepted.ids.first() {
            Some(Some(_)) => Ok(()),
            _ => Err(SendError::Failed("it is throttled".to_owned())),
        }
    }
}

fn missing(arn: &Arn) -> SendError {
    SendError::Refused(format!("there is no {arn}"))
}
