//! Counting what the subscriptions of a consumer are sent.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use headwater_types::{Tallied, Tally};
use parking_lot::Mutex;

/// Counts of all that the subscriptions of a consumer were sent since the process started, and how they are now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerMetrics {
    /// Bytes of data and partition keys.
    pub outgoing_bytes: u64,
    /// Records.
    pub outgoing_records: u64,
    /// Subscriptions that there are.
    pub subscriptions: u64,
    /// How far the one that is furthest behind was behind its shard's end at its last event, in milliseconds.
    pub millis_behind: u64,
}

/// What was counted of a consumer's subscriptions since it was taken last; each value is one event's, or one call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConsumerCalls {
    /// 1 for a call that subscribed, 0 for one that was refused.
    pub subscribed: Option<Tallied>,
    /// 1 for a call that was refused since the consumer is subscribed already.
    pub exceeded: Option<Tallied>,
    /// 1 for an event that was sent, 0 for one that could not be made.
    pub sent: Option<Tallied>,
    /// Bytes of data and partition keys of an event.
    pub bytes: Option<Tallied>,
    /// Records of an event.
    pub records: Option<Tallied>,
    /// How far an event was behind its shard's end, in milliseconds.
    pub millis_behind: Option<Tallied>,
}

/// The counters of one consumer.
#[derive(Default)]
pub(crate) struct Following {
    subscribed: Tally,
    exceeded: Tally,
    sent: Tally,
    records: Tally,
    bytes: Tally,
    millis_behind: Tally,
    behind: Mutex<Behind>,
}

/// How far behind each subscription is; some of them have ended.
#[derive(Default)]
struct Behind {
    all: Vec<Weak<AtomicU64>>,
    /// With so many, those that have ended are forgotten.
    full: usize,
}

/// The counters as one subscription has them, until this is dropped.
pub(crate) struct Follower {
    consumer: Arc<Following>,
    behind: Arc<AtomicU64>,
}

impl Following {
    /// Begins to count a subscription.
    pub fn subscribe(self: &Arc<Self>) -> Follower {
        self.subscribed.add(1);
        let behind = Arc::new(AtomicU64::new(0));
        let mut known = self.behind.lock();
        if known.all.len() >= known.full {
            known.all.retain(|one| one.strong_count() > 0);
            // Twice as many: so one pass serves as many subscriptions as it looked at.
            known.full = 2 * (known.all.len() + 1);
        }
        known.all.push(Arc::downgrade(&behind));
        drop(known);
        Follower {
            consumer: self.clone(),
            behind,
        }
    }

    /// A call was refused since the consumer is subscribed already.
    pub fn refused(&self) {
        self.subscribed.add(0);
        self.exceeded.add(1);
    }

    /// What was counted since this was asked last.
    pub fn take(&self) -> ConsumerCalls {
        ConsumerCalls {
            subscribed: self.subscribed.take(),
            exceeded: self.exceeded.take(),
            sent: self.sent.take(),
            bytes: self.bytes.take(),
            records: self.records.take(),
            millis_behind: self.millis_behind.take(),
        }
    }

    /// The counts so far.
    pub fn now(&self) -> ConsumerMetrics {
        let known = self.behind.lock();
        let alive = known.all.iter().filter_map(Weak::upgrade);
        let behind: Vec<u64> = alive.map(|one| one.load(Relaxed)).collect();
        ConsumerMetrics {
            outgoing_bytes: self.bytes.sum(),
            outgoing_records: self.records.sum(),
            subscriptions: behind.len() as u64,
            millis_behind: behind.into_iter().max().unwrap_or(0),
        }
    }
}

impl Follower {
    /// An event was sent.
    pub fn got(&self, records: usize, bytes: usize, millis_behind: u64) {
        let Following {
            sent,
            records: all,
            bytes: all_bytes,
            millis_behind: behind,
            ..
        } = &*self.consumer;
        sent.add(1);
        all.add(records as u64);
        all_bytes.add(bytes as u64);
        behind.add(millis_behind);
        self.behind.store(millis_behind, Relaxed);
    }

    /// An event could not be made.
    pub fn failed(&self) {
        self.consumer.sent.add(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_counts_until_it_ends_and_what_it_was_sent_for_longer() {
        let consumer = Arc::new(Following::default());
        assert_eq!(consumer.now(), ConsumerMetrics::default());
        let (one, two) = (consumer.subscribe(), consumer.subscribe());
        one.got(3, 30, 500);
        two.got(1, 10, 20);
        two.got(0, 0, 7);
        let now = |subscriptions, millis_behind| ConsumerMetrics {
            outgoing_bytes: 40,
            outgoing_records: 4,
            subscriptions,
            millis_behind,
        };
        assert_eq!(consumer.now(), now(2, 500));
        drop(one);
        assert_eq!(consumer.now(), now(1, 7));
        for _ in 0..100 {
            drop(consumer.subscribe());
        }
        assert!(consumer.behind.lock().all.len() < 5);
        assert_eq!(consumer.now(), now(1, 7));
    }
}
