//! One message on its way to one subscription: tried until its endpoint takes it, or it is given up.
//!
//! Between tries nothing is held but its place in the log. Each try goes by how the subscription is set then.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_log::{LogError, ReadLimit};
use headwater_types::{Arn, Millis};
use http::{HeaderName, HeaderValue, Request, header};
use tokio::sync::OwnedSemaphorePermit;

use crate::{
    Error, Message, Protocol, Subscription,
    envelope::{Delivery, Signature},
    limits::{COPIES, MESSAGE_BYTES_MAX, QUEUE_ATTRIBUTES_MAX, REQUEST_TIME, WAIT_MAX, WAIT_MIN},
    ports::{EndpointError, Letter},
    retries::managed,
    topics::{Kept, World},
};

const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";
const AGENT: HeaderValue = HeaderValue::from_static("Amazon Simple Notification Service Agent");

/// A message in memory, with the room that it takes there.
pub(crate) struct Loaded {
    pub offset: u64,
    pub time: Millis,
    /// Its size in the log. The record itself would keep all bytes that were read with it.
    pub bytes: usize,
    pub message: Message,
    pub _room: OwnedSemaphorePermit,
}

/// A message on its way.
pub(crate) struct Flight {
    pub world: Arc<World>,
    pub kept: Arc<Kept>,
    pub id: String,
    pub offset: u64,
    /// How often it failed.
    pub failed: u32,
    /// What its size in the log was, once that is known.
    pub bytes: usize,
}

/// What an endpoint made of a message.
pub(crate) enum Answer {
    Taken,
    Refused(String),
    Failed(String),
}

/// The room in KiB that a message of that many bytes takes.
pub(crate) fn room_of(bytes: usize) -> u32 {
    u32::try_from(bytes * COPIES / 1024 + 1).unwrap_or(u32::MAX)
}

impl Flight {
    /// Sends a message until it is done with; its offset.
    pub async fn run(mut self, mut loaded: Option<Loaded>) -> u64 {
        let mut troubles = 0;
        loop {
            let message = match loaded.take() {
                Some(message) => Ok(Some(message)),
                None => self.load().await,
            };
            let tried = match message {
                // It is too old for anybody to have it any more.
                Ok(None) => return self.offset,
                Ok(Some(message)) => self.try_once(&message).await,
                Err(error) => Err(error),
            };
            match tried {
                Ok(None) => return self.offset,
                Ok(Some(wait)) => {
                    troubles = 0;
                    self.world.env.clock.sleep(wait).await;
                }
                // Something here fails, which is not the endpoint's fault and no try.
                Err(error) => {
                    tracing::warn!(subscription = self.id, %error, "a message waits");
                    let wait = WAIT_MIN.saturating_mul(1 << troubles).min(WAIT_MAX);
                    troubles = (troubles + 1).min(16);
                    self.world.env.clock.sleep(wait).await;
                }
            }
        }
    }

    /// Reads the message again, once there is room for it; nothing where it is not there any more.
    async fn load(&mut self) -> Result<Option<Loaded>, Error> {
        // Of a message that was under way before a restart the size is not known yet.
        let bytes = match self.bytes {
            0 => MESSAGE_BYTES_MAX,
            bytes => bytes,
        };
        let protocol = self.kept.record.read().value.protocol;
        let room = self.world.room(protocol);
        let room = room.acquire_many_owned(room_of(bytes)).await;
        let room = room.expect("nobody closes it");
        let shard = self.kept.topic.record.read().value.shard();
        let one = ReadLimit {
            records: 1,
            bytes: 1,
        };
        let chunk = match self.world.log.read(shard, self.offset, one).await {
            Err(LogError::Unknown(_)) => return Ok(None),
            chunk => chunk?,
        };
        let record = chunk.records.into_iter().next();
        let Some(record) = record.filter(|record| record.offset == self.offset) else {
            return Ok(None);
        };
        self.bytes = record.value.len();
        Ok(Message::decode(&record.value).map(|message| Loaded {
            offset: record.offset,
            time: record.time,
            bytes: self.bytes,
            message,
            _room: room,
        }))
    }

    /// Sends the message once. How long to wait for the next try; nothing where there is none.
    async fn try_once(&mut self, loaded: &Loaded) -> Result<Option<Duration>, Error> {
        let subscription = self.kept.record.read().value.clone();
        let why = match self.deliver(&subscription, loaded).await? {
            Answer::Taken => {
                self.kept.counts.delivered();
                return Ok(None);
            }
            Answer::Refused(why) => {
                self.kept.counts.failed();
                why
            }
            Answer::Failed(why) => {
                self.kept.counts.failed();
                self.failed = self.failed.saturating_add(1);
                match self.wait(&subscription) {
                    Some(wait) => {
                        let failed = self.failed;
                        self.kept.progress.lock().open.insert(self.offset, failed);
                        self.world.checkpoints.note(&self.id, &self.kept);
                        return Ok(Some(wait));
                    }
                    None => why,
                }
            }
        };
        self.give_up(&subscription, loaded, &why).await
    }

    /// How long the message waits for its next try.
    fn wait(&self, subscription: &Subscription) -> Option<Duration> {
        if !subscription.protocol.is_web() {
            return managed(self.failed);
        }
        let topic = self.kept.topic.record.read();
        let of_topic = &topic.value.settings;
        let own = subscription.settings.retries;
        let own = own.filter(|_| of_topic.no_overrides != Some(true));
        own.or(of_topic.retries)
            .unwrap_or_default()
            .wait(self.failed)
    }

    /// Makes the message a dead letter, where there is a queue for those.
    async fn give_up(
        &self,
        subscription: &Subscription,
        loaded: &Loaded,
        why: &str,
    ) -> Result<Option<Duration>, Error> {
        let (endpoint, message) = (&subscription.endpoint, &loaded.message.id);
        let Some(queue) = &subscription.settings.dead_letters else {
            self.kept.counts.gave_up();
            tracing::warn!(endpoint, message, why, "a message is given up");
            return Ok(None);
        };
        let letter = self.letter(subscription, loaded).await?;
        match self.world.endpoints.send(queue, letter).await {
            Ok(()) => self.kept.counts.dead_letter(),
            Err(EndpointError::Refused(refused)) => {
                self.kept.counts.gave_up();
                tracing::warn!(
                    endpoint,
                    message,
                    why,
                    refused,
                    "a message is given up, and is no dead letter"
                );
            }
            // The next try may even reach the endpoint.
            Err(EndpointError::Failed(_)) => return Ok(Some(WAIT_MAX)),
        }
        Ok(None)
    }

    async fn deliver(&self, subscription: &Subscription, loaded: &Loaded) -> Result<Answer, Error> {
        let raw = subscription.settings.raw;
        let endpoints = &self.world.endpoints;
        let arn = || subscription.endpoint.parse::<Arn>();
        let taken = match (subscription.protocol, arn()) {
            (Protocol::Http | Protocol::Https, _) => {
                let request = self.request(subscription, loaded).await?;
                return Ok(answer_of(endpoints.post(request, REQUEST_TIME).await));
            }
            (_, Err(_)) => return Ok(Answer::Refused("it is no ARN".to_owned())),
            (Protocol::Sqs, _) if raw && loaded.message.attributes.len() > QUEUE_ATTRIBUTES_MAX => {
                return Ok(Answer::Refused("a queue takes ten attributes".to_owned()));
            }
            (Protocol::Sqs, Ok(queue)) => {
                let letter = self.letter(subscription, loaded).await?;
                endpoints.send(&queue, letter).await
            }
            (Protocol::Lambda, Ok(function)) => {
                // AWS signs events in the first version, whatever the topic's is.
                let signed = self.sign(subscription, loaded, 1).await?;
                let event = self.delivery(subscription, loaded).event(&signed);
                let topic = self.world.place.topic(&subscription.topic);
                endpoints.invoke(&function, &topic, event).await
            }
            (Protocol::Firehose, Ok(stream)) => {
                let delivery = self.delivery(subscription, loaded);
                let data = match raw {
                    true => Bytes::copy_from_slice(delivery.body.as_bytes()),
                    false => delivery.archived(),
                };
                endpoints.put(&stream, data).await
            }
        };
        Ok(match taken {
            Ok(()) => Answer::Taken,
            Err(EndpointError::Refused(why)) => Answer::Refused(why),
            Err(EndpointError::Failed(why)) => Answer::Failed(why),
        })
    }

    fn delivery<'a>(&'a self, subscription: &'a Subscription, loaded: &'a Loaded) -> Delivery<'a> {
        Delivery {
            place: &self.world.place,
            topic: &subscription.topic,
            subscription: &subscription.id,
            message: &loaded.message,
            body: loaded.message.body_for(subscription.protocol),
            time: loaded.time,
        }
    }

    async fn sign(
        &self,
        subscription: &Subscription,
        loaded: &Loaded,
        version: u8,
    ) -> Result<Signature, Error> {
        let world = &self.world;
        let topic = self.kept.topic.record.read().value.number;
        let delivery = self.delivery(subscription, loaded);
        let signature = match loaded.message.bodies.is_empty() {
            true => {
                let text = || delivery.signed_text();
                let signature = world
                    .signer
                    .sign_message((topic, self.offset), version, text);
                signature.await?
            }
            // Its body differs from protocol to protocol.
            false => world.signer.sign(version, delivery.signed_text()).await?,
        };
        Ok(Signature {
            version,
            signature,
            certificate: world.place.certificate(&world.signer.key().await?.id),
        })
    }

    fn signature_version(&self) -> u8 {
        let topic = self.kept.topic.record.read();
        topic.value.settings.signature_version.unwrap_or(1)
    }

    /// The message as queues get it.
    async fn letter(&self, subscription: &Subscription, loaded: &Loaded) -> Result<Letter, Error> {
        let delivery = self.delivery(subscription, loaded);
        let message = &loaded.message;
        let (body, attributes) = match subscription.settings.raw {
            true => (delivery.body.to_owned(), message.attributes.clone()),
            false => {
                let signed = self
                    .sign(subscription, loaded, self.signature_version())
                    .await?;
                (delivery.notification(&signed), Default::default())
            }
        };
        Ok(Letter {
            body,
            attributes,
            group: message.group.clone(),
            trace: message.trace.clone(),
            topic: self.world.place.topic(&subscription.topic),
        })
    }

    /// The message as addresses get it.
    async fn request(
        &self,
        subscription: &Subscription,
        loaded: &Loaded,
    ) -> Result<Request<Bytes>, Error> {
        let delivery = self.delivery(subscription, loaded);
        let place = &self.world.place;
        let mut headers = vec![
            ("x-amz-sns-message-type", "Notification".to_owned()),
            ("x-amz-sns-message-id", loaded.message.id.clone()),
            (
                "x-amz-sns-topic-arn",
                place.topic(&subscription.topic).to_string(),
            ),
            (
                "x-amz-sns-subscription-arn",
                place.subscription(&subscription.topic, &subscription.id),
            ),
        ];
        let body = if subscription.settings.raw {
            headers.push(("x-amz-sns-rawdelivery", "true".to_owned()));
            delivery.body.to_owned()
        } else {
            let signed = self
                .sign(subscription, loaded, self.signature_version())
                .await?;
            delivery.notification(&signed)
        };
        let content_type = {
            let topic = self.kept.topic.record.read();
            let of_topic = &topic.value.settings;
            let own = subscription.settings.content_type.clone();
            let own = own.filter(|_| of_topic.no_overrides != Some(true));
            own.or_else(|| of_topic.content_type.clone())
        };
        web_request(subscription, content_type.as_deref(), &headers, body.into())
    }
}

/// A request to an address, with AWS's headers.
pub(crate) fn web_request(
    subscription: &Subscription,
    content_type: Option<&str>,
    headers: &[(&'static str, String)],
    body: Bytes,
) -> Result<Request<Bytes>, Error> {
    let refused = |what: String| Error::Refused(what);
    let mut request = Request::post(&subscription.endpoint)
        .header(header::CONTENT_TYPE, content_type.unwrap_or(CONTENT_TYPE))
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT_ENCODING, "gzip,deflate");
    if subscription.protocol == Protocol::Http {
        // HTTP/2, which TLS may agree on, has no such header.
        request = request.header(header::CONNECTION, "Keep-Alive");
    }
    for (name, value) in headers {
        let value = HeaderValue::from_str(value).map_err(|error| refused(error.to_string()))?;
        request = request.header(HeaderName::from_static(name), value);
    }
    request
        .body(body)
        .map_err(|error| refused(error.to_string()))
}

/// What an address means by its answer: the client's faults, 4xx, are final, apart from "too many requests".
pub(crate) fn answer_of(status: Result<u16, String>) -> Answer {
    match status {
        Ok(200..=299) => Answer::Taken,
        Ok(429) => Answer::Failed("it answered 429".to_owned()),
        Ok(status @ 400..=499) => Answer::Refused(format!("it answered {status}")),
        Ok(status) => Answer::Failed(format!("it answered {status}")),
        Err(why) => Answer::Failed(why),
    }
}
