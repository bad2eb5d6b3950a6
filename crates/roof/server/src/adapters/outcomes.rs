//! Functions have the ends of their events told in buckets and queues.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use headwater_delivery::{ObjectMeta, Objects, ObjectsError};
use headwater_functions::{Outlets, Told, Untold};
use headwater_messages::{Attribute, Error, Messages, NewMessage, Value};
use headwater_types::{Account, Arn, Region};

/// The places of this server where ends of events are told.
pub struct OutcomePlaces {
    /// The account and region of queues.
    pub account: Account,
    /// See `account`.
    pub region: Region,
    /// The buckets.
    pub objects: Arc<dyn Objects>,
    /// The queues, where there are any.
    pub queues: Option<Arc<Messages>>,
}

#[async_trait]
impl Outlets for OutcomePlaces {
    fn serves(&self, service: &str) -> bool {
        match service {
            "s3" => true,
            "sqs" => self.queues.is_some(),
            _ => false,
        }
    }

    async fn is_there(&self, place: &Arn) -> bool {
        match &*place.service {
            "s3" => matches!(self.objects.bucket_exists(&place.resource).await, Ok(true)),
            // As on AWS, queues with an order take no ends of events.
            "sqs" => self
                .queue(place)
                .is_some_and(|(queues, name)| !name.ends_with(".fifo") && queues.get(name).is_ok()),
            _ => false,
        }
    }

    async fn tell(&self, told: &Told) -> Result<(), Untold> {
        match &*told.place.service {
            "s3" => self.put(told).await,
            "sqs" => self.send(told).await,
            service => Err(Untold::Refused(format!("nothing is told to {service}"))),
        }
    }
}

impl OutcomePlaces {
    /// The queues, and the name of the one of them that an ARN names.
    fn queue<'a>(&'a self, place: &'a Arn) -> Option<(&'a Messages, &'a str)> {
        let is_here = place.account == self.account.0 && place.region == self.region.0;
        let queues = self.queues.as_ref().filter(|_| is_here)?;
        Some((queues, &place.resource))
    }

    /// Puts an object under the key that AWS gives it. The event's id, in place of a random one, has a second telling
    /// write the same object.
    async fn put(&self, told: &Told) -> Result<(), Untold> {
        let time = i64::try_from(told.ended.0).ok();
        let time = time.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        let time = time.unwrap_or_default();
        let key = format!(
            "aws/lambda/async/{}/{}-{}",
            told.function,
            time.strftime("%Y/%m/%d/%Y-%m-%dT%H.%M.%S"),
            told.request_id
        );
        let meta = ObjectMeta {
            content_type: "application/json",
            content_encoding: None,
            encryption_key: None,
        };
        let body = Bytes::from(told.body.clone());
        let body = Box::pin(stream::iter([Ok(body)]));
        let put = self
            .objects
            .put(&told.place.resource, &key, body, meta)
            .await;
        put.map_err(|error| match error {
            ObjectsError::NoBucket(_) => Untold::Refused(error.to_string()),
            other => Untold::Failed(other.to_string()),
        })
    }

    /// Sends a message: an account of the end, or the dead event with its error beside it.
    async fn send(&self, told: &Told) -> Result<(), Untold> {
        let Some((queues, name)) = self.queue(&told.place) else {
            return Err(Untold::Refused(
                "the queue is not on this server".to_owned(),
            ));
        };
        let attribute = |kind: &str, text: String| Attribute {
            data_type: kind.to_owned(),
            value: Value::Text(text),
        };
        let dead = told.dead.iter().flat_map(|dead| {
            let mut all = vec![
                ("RequestID", attribute("String", told.request_id.clone())),
                ("ErrorCode", attribute("Number", dead.code.to_string())),
            ];
            // A queue takes no attribute without a value.
            if !dead.message.is_empty() {
                all.push(("ErrorMessage", attribute("String", dead.message.clone())));
            }
            all
        });
        let message = NewMessage {
            body: told.body.clone(),
            attributes: dead.map(|(name, value)| (name.to_owned(), value)).collect(),
            trace: Some(told.trace.clone()),
            sender: "lambda.amazonaws.com".to_owned(),
            ..NewMessage::default()
        };
        match queues.send(name, vec![message]).await {
            Ok(sent) => match sent.into_iter().next() {
                Some(Err(fault)) => Err(Untold::Refused(fault.to_string())),
                _ => Ok(()),
            },
            Err(error) => Err(untold(&error)),
        }
    }
}

/// A queue that is not there, or does not take the message as it is, never will.
fn untold(error: &Error) -> Untold {
    match error {
        Error::NoQueue(_) | Error::Fault(_) => Untold::Refused(error.to_string()),
        other => Untold::Failed(other.to_string()),
    }
}
