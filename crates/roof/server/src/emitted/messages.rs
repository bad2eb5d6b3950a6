//! Queues of messages: `AWS/SQS`. (Source: the developer guide, "Available CloudWatch metrics for Amazon SQS".)

use std::sync::Arc;

use async_trait::async_trait;
use headwater_messages::Messages;
use headwater_metrics::Unit;
use headwater_types::Tallied;

use super::{Emits, Emitted, Name};

const fn count(name: &'static str) -> Name {
    Name::new("AWS/SQS", name, Unit::Count)
}

const SENT: Name = count("NumberOfMessagesSent");
const SENT_SIZE: Name = Name::new("AWS/SQS", "SentMessageSize", Unit::Bytes);
const RECEIVED: Name = count("NumberOfMessagesReceived");
const EMPTY: Name = count("NumberOfEmptyReceives");
const DELETED: Name = count("NumberOfMessagesDeleted");
const VISIBLE: Name = count("ApproximateNumberOfMessagesVisible");
const IN_FLIGHT: Name = count("ApproximateNumberOfMessagesNotVisible");
const DELAYED: Name = count("ApproximateNumberOfMessagesDelayed");

/// What queues of messages emit.
pub struct EmitMessages(pub Arc<Messages>);

#[async_trait]
impl Emits for EmitMessages {
    async fn take(&self, to: &mut Emitted) {
        for (queue, calls) in self.0.take_calls() {
            let dimensions = [("QueueName", &*queue)];
            let sent = calls.sent.map(|sent| Tallied {
                count: sent.count,
                sum: sent.count,
                least: 1,
                most: 1,
            });
            for (name, tallied) in [
                (&SENT, sent),
                (&SENT_SIZE, calls.sent),
                (&RECEIVED, calls.received),
                (&EMPTY, calls.empty),
                (&DELETED, calls.deleted),
            ] {
                to.add(name, &dimensions, tallied);
            }
        }
        self.depths(to).await;
    }
}

impl EmitMessages {
    /// How much is in the queues that are in memory: none is loaded for this.
    #[expect(clippy::cast_precision_loss, reason = "no queue has so many")]
    async fn depths(&self, to: &mut Emitted) {
        for queue in self.0.loaded() {
            // It is gone meanwhile, or the server stops.
            let Ok(depth) = self.0.depth(&queue).await else {
                continue;
            };
            let dimensions = [("QueueName", &*queue)];
            to.add_one(&VISIBLE, &dimensions, depth.visible as f64);
            to.add_one(&IN_FLIGHT, &dimensions, depth.in_flight as f64);
            to.add_one(&DELAYED, &dimensions, depth.delayed as f64);
        }
    }
}
