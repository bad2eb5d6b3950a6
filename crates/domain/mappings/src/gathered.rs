//! Messages gathered from a queue for one call: their event, which is all that is kept of them, and what deletes them.

use std::time::Duration;

use bytes::Bytes;
use headwater_types::Millis;
use tokio::sync::OwnedSemaphorePermit;

use crate::{limits::EVENT_BYTES_MAX, message::add_message, ports::Message, worker::Configured};

/// A batch that is being gathered.
#[derive(Default)]
pub(crate) struct Gathered {
    pub messages: Vec<Held>,
    /// Until when all of them are hidden from other receivers.
    pub hidden_until: Duration,
    /// The event so far, without its end.
    event: String,
    /// When its first message was received, and the longest that it waits for others then: half of the time that it is
    /// hidden, since the other half is for the call.
    began: Option<(Duration, Duration)>,
    is_closed: bool,
    room: Option<OwnedSemaphorePermit>,
}

/// What is kept of a message beside the event.
pub(crate) struct Held {
    pub id: String,
    pub receipt: String,
    pub sent: Millis,
}

impl Gathered {
    /// How many messages it lacks.
    pub fn missing(&self, config: &Configured) -> usize {
        let batch_size = config.mapping.settings.batch_size as usize;
        batch_size.saturating_sub(self.messages.len())
    }

    /// Whether it is to go: it is full, or its window is over.
    pub fn is_ready(&self, config: &Configured, now: Duration) -> bool {
        let is_full = self.is_closed || self.missing(config) == 0;
        !self.messages.is_empty() && (is_full || self.due_in(config, now) == Some(Duration::ZERO))
    }

    /// How long it may wait for more messages; nothing while it has none.
    pub fn due_in(&self, config: &Configured, now: Duration) -> Option<Duration> {
        let window = config.mapping.settings.window();
        let due = |(began, most): (Duration, Duration)| began + window.min(most);
        self.began.map(|began| due(began).saturating_sub(now))
    }

    /// Has it go as it is.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Adds a message that was received at `now`; gives it back where it does not fit, and then the batch is full.
    pub fn add(
        &mut self,
        message: Message,
        config: &Configured,
        hidden_until: Duration,
        now: Duration,
    ) -> Option<Message> {
        let before = self.event.len();
        self.event
            .push_str(if before == 0 { "{\"Records\":[" } else { "," });
        add_message(&mut self.event, &config.mapping, &message);
        let is_first = self.messages.is_empty();
        if !is_first && (self.event.len() > EVENT_BYTES_MAX || self.missing(config) == 0) {
            self.event.truncate(before);
            self.close();
            return Some(message);
        }
        self.hidden_until = match is_first {
            true => hidden_until,
            false => self.hidden_until.min(hidden_until),
        };
        let most = hidden_until.saturating_sub(now) / 2;
        self.began.get_or_insert((now, most));
        self.messages.push(Held {
            id: message.id,
            receipt: message.receipt,
            sent: message.sent,
        });
        None
    }

    /// Takes as much of `from` as the event has bytes by now.
    pub fn occupy(&mut self, from: &mut OwnedSemaphorePermit) {
        let has = self
            .room
            .as_ref()
            .map_or(0, OwnedSemaphorePermit::num_permits);
        let needs = (self.event.capacity() / 1024 + 1).saturating_sub(has);
        let Some(more) = from.split(needs.min(from.num_permits())) else {
            return;
        };
        match &mut self.room {
            Some(room) => room.merge(more),
            None => self.room = Some(more),
        }
    }

    /// The event, what deletes its messages, and the room that it has.
    pub fn into_event(mut self) -> (Bytes, Vec<Held>, Option<OwnedSemaphorePermit>) {
        self.event.push_str("]}");
        (self.event.into(), self.messages, self.room)
    }
}
