//! Counting what goes through queues, for those who publish it.

use headwater_types::{Tallied, Tally};

use crate::Messages;

/// What was counted of a queue since it was taken last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueCalls {
    /// Bytes of each message that was sent.
    pub sent: Option<Tallied>,
    /// Messages that a receive got, of those that got any.
    pub received: Option<Tallied>,
    /// 1 for a receive that got none.
    pub empty: Option<Tallied>,
    /// Messages that a call deleted.
    pub deleted: Option<Tallied>,
}

/// The counters behind [`QueueCalls`].
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub sent: Tally,
    received: Tally,
    empty: Tally,
    deleted: Tally,
}

impl Counters {
    pub fn received(&self, messages: usize) {
        match messages {
            0 => self.empty.add(1),
            some => self.received.add(some as u64),
        }
    }

    pub fn deleted(&self, messages: usize) {
        if messages > 0 {
            self.deleted.add(messages as u64);
        }
    }

    fn take(&self) -> QueueCalls {
        QueueCalls {
            sent: self.sent.take(),
            received: self.received.take(),
            empty: self.empty.take(),
            deleted: self.deleted.take(),
        }
    }
}

impl Messages {
    /// What was counted of each queue since this was asked last, by name: for one who publishes it.
    pub fn take_calls(&self) -> Vec<(String, QueueCalls)> {
        let known = self.inner.known.read();
        let all = known.iter();
        all.map(|(name, queue)| (name.clone(), queue.counters.take()))
            .collect()
    }
}
