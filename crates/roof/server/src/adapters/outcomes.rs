//! Functions have the ends of their events told in buckets, queues and topics.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream;
use headwater_delivery::{ObjectMeta, Objects, ObjectsError};
use headwater_functions::{Outlets, Told, Untold};
use headwater_messages::{Attribute, Error, Messages, NewMessage, Value};
use headwater_topics::{Message, Topics, limits::MESSAGE_BYTES_MAX};
use headwater_types::{Account, Arn, Region};

/// The places of this server where ends of events are told.
pub struct OutcomePlaces {
    /// The account and region of queues and topics.
    pub account: Account,
    /// See `account`.
    pub region: Region,
    /// The buckets.
    pub objects: Arc<dyn Objects>,
    /// The queues.
    pub queues: Arc<Messages>,
    /// The topics, once they are open.
    pub topics: Arc<OnceLock<Arc<Topics>>>,
}

#[async_trait]
impl Outlets for OutcomePlaces {
    fn serves(&self, service: &str) -> bool {
        matches!(service, "s3" | "sqs" | "sns")
    }

    async fn is_there(&self, place: &Arn) -> bool {
        let name = &place.resource;
        match &*place.service {
            "s3" => matches!(self.objects.bucket_exists(name).await, Ok(true)),
            // As on AWS, what has an order takes no ends of events.
            _ if !self.is_here(place) || name.ends_with(".fifo") => false,
            "sqs" => self.queues.get(name).is_ok(),
            "sns" => {
                let topics = self.topics.get();
                topics.is_some_and(|topics| topics.topic(name).is_ok())
            }
            _ => false,
        }
    }

    async fn tell(&self, told: &Told) -> Result<(), Untold> {
        match &*told.place.service {
            "s3" => self.put(told).await,
            "sqs" if self.is_here(&told.place) => self.send(told).await,
            "sns" if self.is_here(&told.place) => self.publish(told).await,
            _ => Err(Untold::Refused("there is no such place".to_owned())),
        }
    }
}

impl OutcomePlaces {
    /// Whether an ARN names a queue or topic of this server.
    fn is_here(&self, place: &Arn) -> bool {
        place.account == self.account.0 && place.region == self.region.0
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
        let bucket = &told.place.resource;
        let put = self.objects.put(bucket, &key, body, meta).await;
        put.map_err(|error| match error {
            ObjectsError::NoBucket(_) => Untold::Refused(error.to_string()),
            other => Untold::Failed(other.to_string()),
        })
    }

    /// Sends a message: an account of the end, or the dead event with its error beside it.
    async fn send(&self, told: &Told) -> Result<(), Untold> {
        let attributes = attributes(told).map(|(name, kind, text)| {
            let attribute = Attribute {
                data_type: kind.to_owned(),
                value: Value::Text(text),
            };
            (name.to_owned(), attribute)
        });
        let message = NewMessage {
            body: told.body.clone(),
            attributes: attributes.collect(),
            trace: Some(told.trace.clone()),
            sender: "lambda.amazonaws.com".to_owned(),
            ..NewMessage::default()
        };
        let queue = &told.place.resource;
        match self.queues.send(queue, vec![message]).await {
            Ok(sent) => match sent.into_iter().next() {
                Some(Err(fault)) => Err(Untold::Refused(fault.to_string())),
                _ => Ok(()),
            },
            // A queue that is not there, or does not take the message as it is, never will.
            Err(error @ (Error::NoQueue(_) | Error::Fault(_))) => {
                Err(Untold::Refused(error.to_string()))
            }
            Err(error) => Err(Untold::Failed(error.to_string())),
        }
    }

    /// The same, published to a topic.
    async fn publish(&self, told: &Told) -> Result<(), Untold> {
        let Some(topics) = self.topics.get() else {
            return Err(Untold::Failed("topics are not open yet".to_owned()));
        };
        if told.body.len() > MESSAGE_BYTES_MAX {
            let why = format!("a topic takes no more than {MESSAGE_BYTES_MAX} bytes");
            return Err(Untold::Refused(why));
        }
        let attributes = attributes(told).map(|(name, kind, text)| {
            let attribute = headwater_topics::Attribute {
                data_type: kind.to_owned(),
                value: headwater_topics::Value::Text(text),
            };
            (name.to_owned(), attribute)
        });
        let message = Message {
            body: told.body.clone(),
            attributes: attributes.collect(),
            trace: Some(told.trace.clone()),
            ..Message::default()
        };
        let topic = &told.place.resource;
        let published = topics.publish(topic, vec![message]).await;
        published.map(drop).map_err(|error| match error {
            headwater_topics::Error::NoTopic(_) => Untold::Refused(error.to_string()),
            other => Untold::Failed(other.to_string()),
        })
    }
}

/// The attributes of a dead letter, as name, type and value; none of any other end.
fn attributes(told: &Told) -> impl Iterator<Item = (&'static str, &'static str, String)> {
    let all = told.dead.as_ref().map(|dead| {
        [
            ("RequestID", "String", told.request_id.clone()),
            ("ErrorCode", "Number", dead.code.to_string()),
            ("ErrorMessage", "String", dead.message.clone()),
        ]
    });
    // None can be without a value.
    let filled = |(.., text): &(_, _, String)| !text.is_empty();
    all.into_iter().flatten().filter(filled)
}
