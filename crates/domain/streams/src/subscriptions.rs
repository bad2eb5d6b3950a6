//! Leases on a shard: one subscription a consumer at a time.
//!
//! A subscription has its lease for five seconds, whether or not its reader stays; after that another one of the
//! same consumer takes over, and the older ends (AWS's documentation of SubscribeToShard).

use std::{collections::HashMap, time::Duration};

use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::{Consumer, limits::SUBSCRIPTION_HOLD};

/// The subscriptions of one shard.
#[derive(Default)]
pub(crate) struct Subscriptions {
    holders: Mutex<HashMap<Key, Holder>>,
}

/// A consumer's name and when it was registered.
type Key = (String, Millis);

struct Holder {
    since: Duration,
    /// Dropped when another takes over.
    alive: watch::Sender<()>,
}

/// One subscription's lease.
pub(crate) struct Lease {
    taken_over: watch::Receiver<()>,
}

impl Subscriptions {
    /// Takes the lease of `consumer`, also from an older subscription; none when that is too young and `hold` is on.
    pub fn take(&self, consumer: &Consumer, now: Duration, hold: bool) -> Option<Lease> {
        let key = (consumer.name.clone(), consumer.created);
        let mut holders = self.holders.lock();
        let is_young = |holder: &Holder| now.saturating_sub(holder.since) < SUBSCRIPTION_HOLD;
        if hold && holders.get(&key).is_some_and(is_young) {
            return None;
        }
        // The entries of consumers that left and did not come again go.
        holders.retain(|_, holder| is_young(holder) || holder.alive.receiver_count() > 0);
        let (alive, taken_over) = watch::channel(());
        holders.insert(key, Holder { since: now, alive });
        Some(Lease { taken_over })
    }
}

impl Lease {
    /// Whether another subscription has the lease now.
    pub fn is_taken_over(&self) -> bool {
        self.taken_over.has_changed().is_err()
    }

    /// Returns once another subscription takes the lease.
    pub async fn taken_over(&mut self) {
        // Nothing is ever sent: the only change is the sender's end.
        while self.taken_over.changed().await.is_ok() {}
    }
}
