//! Who is subscribed to a shard: one subscription a consumer at a time, and the event that several of them get.
//!
//! A subscription holds its place for five seconds, whether or not its reader stays; after that another one of the
//! same consumer takes over, and the older ends (AWS's documentation of SubscribeToShard).

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{
    Consumer, ShardEvent,
    limits::{SHARED_EVENT_AGE, SUBSCRIPTION_HOLD},
};

/// The subscriptions of one shard.
#[derive(Default)]
pub(crate) struct Subscriptions {
    held: Mutex<HashMap<Key, Held>>,
    /// The newest event that was made for one of several, for as long as one of them keeps it.
    newest: Mutex<Weak<ShardEvent>>,
}

/// A consumer's name and when it was registered.
type Key = (String, Millis);

struct Held {
    since: Duration,
    /// Dropped when another takes over.
    alive: watch::Sender<()>,
}

/// One subscription's place.
pub(crate) struct Seat {
    taken_over: watch::Receiver<()>,
}

impl Subscriptions {
    /// Takes the place of `consumer`, also from an older subscription; none when that is too young and `hold` is on.
    pub fn take(&self, consumer: &Consumer, now: Duration, hold: bool) -> Option<Seat> {
        let key = (consumer.name.clone(), consumer.created);
        let mut held = self.held.lock();
        let is_young = |held: &Held| now.saturating_sub(held.since) < SUBSCRIPTION_HOLD;
        if hold && held.get(&key).is_some_and(is_young) {
            return None;
        }
        // Whoever left without another in its place.
        held.retain(|_, held| is_young(held) || held.alive.receiver_count() > 0);
        let (alive, taken_over) = watch::channel(());
        held.insert(key, Held { since: now, alive });
        Some(Seat { taken_over })
    }

    /// Whether there is more than one, or was lately.
    pub fn are_several(&self) -> bool {
        self.held.lock().len() > 1
    }

    /// Keeps an event for those who come to the same place in the shard.
    pub fn share(&self, event: &Arc<ShardEvent>) {
        *self.newest.lock() = Arc::downgrade(event);
    }

    /// The event that another one got at the place `from` just now.
    pub fn shared(&self, from: u64, now: Duration) -> Option<Arc<ShardEvent>> {
        let event = self.newest.lock().upgrade()?;
        (event.from == from && now.saturating_sub(event.made) < SHARED_EVENT_AGE).then_some(event)
    }
}

impl Seat {
    /// Whether another subscription has this place now.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over.has_changed().is_err()
    }

    /// Returns once another subscription takes this place.
    pub async fn taken_over(&mut self) {
        // Nothing is ever sent: the only change is the sender's end.
        while self.taken_over.changed().await.is_ok() {}
    }
}
