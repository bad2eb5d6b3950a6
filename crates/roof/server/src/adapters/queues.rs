//! Mappings poll queues.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use headwater_mappings::ports::{
    AttributeValue, Message, MessageAttribute, QueueError, QueueInfo, Queues, Taken,
};
use headwater_messages::{
    Attribute, Error, Messages, Receipt, Receive, Received, Settle, Value, md5_of_attributes,
    md5_of_text,
};
use headwater_types::Arn;

/// The shortest time for which messages of a mapping are hidden, whatever its queue says.
const HIDDEN_MIN: Duration = Duration::from_secs(1);

/// The queues of this server.
pub struct PolledQueues(pub Arc<Messages>);

/// Messages that were received and not read.
struct Unread {
    messages: Arc<Messages>,
    queue: Arn,
    taken: Vec<headwater_messages::Taken>,
    hidden_for: Duration,
}

#[async_trait]
impl Queues for PolledQueues {
    async fn describe(&self, queue: &Arn) -> Result<QueueInfo, QueueError> {
        let found = self.0.get(&queue.resource).map_err(failed)?;
        Ok(QueueInfo {
            is_fifo: found.settings.fifo.is_some(),
            hides_for: Duration::from_secs(found.settings.visibility_s.into()),
        })
    }

    async fn take(
        &self,
        queue: &Arn,
        limit: usize,
        wait: Duration,
    ) -> Result<Box<dyn Taken>, QueueError> {
        // A message that is hidden for no time would be received again before it is read.
        let hidden_for = self.describe(queue).await?.hides_for.max(HIDDEN_MIN);
        let receive = Receive {
            limit,
            wait: Some(wait),
            visibility: Some(hidden_for),
            attempt: None,
        };
        let taken = self
            .0
            .take(&queue.resource, receive)
            .await
            .map_err(failed)?;
        Ok(Box::new(Unread {
            messages: self.0.clone(),
            queue: queue.clone(),
            taken,
            hidden_for,
        }))
    }

    async fn release(&self, queue: &Arn, receipts: &[String]) -> Result<(), QueueError> {
        let at_once = Settle::Visibility(Duration::ZERO);
        self.settle(queue, receipts, at_once).await
    }

    async fn delete(&self, queue: &Arn, receipts: &[String]) -> Result<(), QueueError> {
        self.settle(queue, receipts, Settle::Delete).await
    }
}

impl PolledQueues {
    async fn settle(
        &self,
        queue: &Arn,
        receipts: &[String],
        wanted: Settle,
    ) -> Result<(), QueueError> {
        // One that is none of this queue's has nothing to settle in it.
        let receipts = receipts.iter().filter_map(|text| Receipt::parse(text));
        let settlements: Vec<_> = receipts.map(|receipt| (receipt, wanted)).collect();
        let settled = self.0.settle(&queue.resource, settlements).await;
        // A message that is gone, or that another has by now, is not this receiver's any more.
        settled.map(drop).map_err(failed)
    }
}

#[async_trait]
impl Taken for Unread {
    fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    fn hidden_for(&self) -> Duration {
        self.hidden_for
    }

    async fn read(self: Box<Self>) -> Result<Vec<Message>, QueueError> {
        let read = self.messages.contents(&self.queue.resource, &self.taken);
        let received = read.await.map_err(failed)?.into_iter();
        Ok(received.map(|message| told(&self.queue, message)).collect())
    }
}

/// A message as events have it.
fn told(queue: &Arn, message: Received) -> Message {
    let system = system(queue, &message);
    let Received {
        id,
        receipt,
        body,
        attributes,
        sent,
        ..
    } = message;
    let attributes_md5 = md5_of_attributes(&attributes);
    let attribute = |(name, attribute): (String, Attribute)| {
        let value = match attribute.value {
            Value::Text(text) => AttributeValue::Text(text),
            Value::Binary(bytes) => AttributeValue::Binary(bytes),
        };
        let kind = attribute.data_type;
        (name, MessageAttribute { kind, value })
    };
    Message {
        id,
        receipt: receipt.to_text(),
        body_md5: md5_of_text(&body),
        body,
        sent,
        system,
        attributes_md5,
        attributes: attributes.into_iter().map(attribute).collect(),
    }
}

/// What a queue says of a message, under AWS's names.
fn system(queue: &Arn, message: &Received) -> Vec<(String, String)> {
    let source = message.source.as_ref().map(|name| {
        let dead = Arn {
            resource: name.clone(),
            ..queue.clone()
        };
        dead.to_string()
    });
    let members = [
        (
            "ApproximateReceiveCount",
            Some(message.receives.to_string()),
        ),
        ("AWSTraceHeader", message.trace.clone()),
        ("SentTimestamp", Some(message.sent.0.to_string())),
        ("SequenceNumber", message.sequence.clone()),
        ("MessageGroupId", message.group.clone()),
        ("SenderId", Some(message.sender.clone())),
        ("MessageDeduplicationId", message.dedup.clone()),
        (
            "ApproximateFirstReceiveTimestamp",
            Some(message.first_received.0.to_string()),
        ),
        ("DeadLetterQueueSourceArn", source),
    ];
    let members = members.into_iter();
    members
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn failed(error: Error) -> QueueError {
    match error {
        Error::NoQueue(name) => QueueError::NotFound(name),
        error => QueueError::Failed(error.to_string()),
    }
}
