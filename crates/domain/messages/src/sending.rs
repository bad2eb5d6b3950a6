//! Messages sent to a FIFO queue: by their ids, once.

use headwater_types::Millis;

use crate::{
    Error, NewMessage,
    dedup::{Known, Place, key, of_content, pack, unpack},
    message::Message,
    queues::Inner,
    record::QueueRecord,
    worker::{Outgoing, Sending, Worker},
};

impl Worker {
    /// Takes messages into the next write, apart from those that were sent before.
    pub fn accept(&mut self, messages: Vec<NewMessage>) -> Result<Vec<Sending>, Error> {
        if self.known().dedup.is_full() {
            return Err(Error::TooManyIds);
        }
        Ok(messages
            .into_iter()
            .map(|message| self.accept_one(message))
            .collect())
    }

    fn accept_one(&mut self, mut message: NewMessage) -> Sending {
        let fifo = self.record.settings.fifo.unwrap_or_default();
        let dedup = message.dedup.take();
        let dedup = dedup.unwrap_or_else(|| of_content(&message.body));
        let key = key(fifo, message.group.as_deref(), &dedup);
        if let Some(known) = self.known().dedup.get(&key) {
            return match known.place {
                Place::At(offset) => Sending::Known(unpack(known.id), offset),
                Place::Among(index) => Sending::Outgoing(index),
            };
        }
        message.dedup = Some(dedup);
        let now = self.inner.env.clock.now();
        let message = self.inner.new_message(&self.record, message, now);
        let index = self.outgoing.len();
        let known = Known {
            time: now,
            id: pack(&message.id),
            place: Place::Among(index),
        };
        self.known().dedup.insert(key, known);
        let (value, sealed) = self.inner.seal(&self.record, &message);
        self.outgoing.push(Outgoing {
            id: message.id,
            key,
            value,
            sealed,
        });
        Sending::Outgoing(index)
    }
}

impl Inner {
    /// A message as a queue keeps it.
    pub fn new_message(&self, queue: &QueueRecord, new: NewMessage, now: Millis) -> Message {
        let NewMessage {
            body,
            attributes,
            trace,
            delay,
            group,
            dedup,
            sender,
        } = new;
        // A FIFO queue's messages all have the queue's delay.
        let delay = delay.filter(|_| queue.settings.fifo.is_none());
        let queues = std::time::Duration::from_secs(queue.settings.delay_s.into());
        Message {
            id: self.env.random.uuid(),
            sent: now,
            delay: delay.unwrap_or(queues),
            receives: 0,
            first_received: Millis::ZERO,
            source: None,
            sender,
            trace,
            group,
            dedup,
            attributes,
            body,
        }
    }
}
