//! The events that subscribers of a shard share: those who come to the same place at the same time get the same, so that
//! it is read once, and made once into what they are sent.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use headwater_log::ShardNumber;
use headwater_types::SequenceNumber;
use parking_lot::Mutex;

use crate::{ReadRecord, Shard, limits::SHARED_EVENT_AGE};

/// News of a shard.
pub struct ShardEvent {
    /// Records, in order; none when there was nothing new for a while, or at the end of the shard.
    pub records: Vec<ReadRecord>,
    /// The last record that the subscriber has seen, to go on after it; none at the end of the shard.
    pub continuation: Option<SequenceNumber>,
    /// How long ago the last record arrived when there are more behind it; 0 when there are none.
    pub millis_behind: u64,
    /// At the end of the shard those that took over.
    pub children: Option<Vec<Arc<Shard>>>,
}

/// Subscribers who are all sent the same `T` for the same event.
pub struct FanOut<T> {
    make: Box<dyn Fn(ShardEvent) -> T + Send + Sync>,
    shards: Mutex<Shards<T>>,
}

/// The shards that somebody is subscribed to, and some that nobody is any more.
struct Shards<T> {
    known: HashMap<ShardNumber, Weak<ShardFanOut<T>>>,
    /// With so many, those that nobody is subscribed to are forgotten.
    full: usize,
}

/// The subscribers of one shard, each of whom holds it.
pub(crate) struct ShardFanOut<T> {
    /// The newest event that was made for one of several, for as long as one of them keeps it.
    newest: Mutex<Weak<Sent<T>>>,
}

/// An event as it is sent, and where others must be to get it, too.
pub(crate) struct Sent<T> {
    /// The event as it is sent.
    pub made: T,
    /// The place in the shard that it was read from, and the one to go on at.
    pub from: u64,
    pub next: u64,
    /// As the event has it.
    pub continuation: Option<SequenceNumber>,
    /// Its records, and their bytes as limits count them.
    pub records: usize,
    pub bytes: usize,
    /// As the event has it.
    pub millis_behind: u64,
    /// Whether it is the end of the shard.
    pub is_end: bool,
    /// When it was read.
    pub read: Duration,
}

impl<T> FanOut<T> {
    /// Subscribers who are sent what `make` makes of each event.
    pub fn new(make: impl Fn(ShardEvent) -> T + Send + Sync + 'static) -> Arc<Self> {
        let shards = Shards {
            known: HashMap::new(),
            full: 0,
        };
        Arc::new(Self {
            make: Box::new(make),
            shards: Mutex::new(shards),
        })
    }

    /// The subscribers of a shard, the caller among them for as long as it keeps the answer.
    pub(crate) fn join(&self, shard: ShardNumber) -> Arc<ShardFanOut<T>> {
        let mut shards = self.shards.lock();
        if let Some(known) = shards.known.get(&shard).and_then(Weak::upgrade) {
            return known;
        }
        if shards.known.len() >= shards.full {
            shards.known.retain(|_, shard| shard.strong_count() > 0);
            // Twice as many: so one pass serves as many subscriptions as it looked at.
            shards.full = 2 * (shards.known.len() + 1);
        }
        let new = Arc::new(ShardFanOut {
            newest: Mutex::new(Weak::new()),
        });
        shards.known.insert(shard, Arc::downgrade(&new));
        new
    }

    /// The event as it is sent, which was read just now from `from` on, and after which readers go on at `next`.
    pub(crate) fn make(&self, event: ShardEvent, from: u64, next: u64, now: Duration) -> Sent<T> {
        Sent {
            from,
            next,
            continuation: event.continuation,
            records: event.records.len(),
            bytes: event.records.iter().map(ReadRecord::bytes).sum(),
            millis_behind: event.millis_behind,
            is_end: event.children.is_some(),
            read: now,
            made: (self.make)(event),
        }
    }
}

impl<T> ShardFanOut<T> {
    /// Keeps an event for those who come to the same place in the shard.
    pub fn share(&self, sent: &Arc<Sent<T>>) {
        *self.newest.lock() = Arc::downgrade(sent);
    }

    /// The event that another one got at the place `from` just now.
    pub fn shared(&self, from: u64, now: Duration) -> Option<Arc<Sent<T>>> {
        let sent = self.newest.lock().upgrade()?;
        (sent.from == from && now.saturating_sub(sent.read) < SHARED_EVENT_AGE).then_some(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_forgotten_once_nobody_is_subscribed_to_it() {
        let fan_out = FanOut::new(drop);
        let stays = fan_out.join(ShardNumber(0));
        for shard in 1..10_000 {
            let goes = fan_out.join(ShardNumber(shard));
            let again = fan_out.join(ShardNumber(shard));
            assert!(Arc::ptr_eq(&goes, &again));
        }
        assert!(Arc::ptr_eq(&stays, &fan_out.join(ShardNumber(0))));
        assert!(fan_out.shards.lock().known.len() < 10);
    }
}
