//! The items beside the leases, which make up a fleet: what each worker tells about itself, and the lock of the leader.

use std::time::Duration;

use headwater_items::{Item, Value};
use headwater_types::Millis;
use parking_lot::Mutex;

use crate::{
    lease::Assigning,
    table::{
        items::{Expected, Update, Updates, Wanted},
        layout::{ENTITY, KEY, number, text},
    },
};

/// The key of the leader's lock. (Source: KCL 3.5.1, `LeaderLock`; the attributes are those of AWS's lock client for
/// DynamoDB.)
pub(super) const LEADER: &str = "Leader";
const LOCK_VERSION: &str = "recordVersionNumber";
const LOCK_MILLIS: &str = "leaseDuration";
const LOCK_RELEASED: &str = "isReleased";

/// The kind of items in which workers tell about themselves. (Source, as of the next lines: KCL 3.5.1,
/// `WorkerMetricStats`.)
const WORKER: &str = "WORKER_METRIC_STATS";
/// What a worker's version can do: that it has all items in one table.
const ONE_TABLE: u64 = 1;

/// What a consumer tells: when it last did so, in seconds, and what it can do. That it measures nothing of its machine
/// has a leader give it leases by what their shards give.
fn told(now: Millis) -> [(&'static str, Value); 6] {
    let seconds = number(now.0 / 1000);
    [
        (ENTITY, text(WORKER)),
        ("lut", seconds.clone()),
        ("sts", Value::Map(Item::new())),
        ("opr", Value::Map(Item::new())),
        ("sup", number(ONE_TABLE)),
        ("slu", seconds),
    ]
}

/// The item of a consumer that told nothing before.
pub(super) fn worker_item(consumer: &str, now: Millis) -> Item {
    let key = (KEY.to_owned(), text(consumer));
    let told = told(now).map(|(name, value)| (name.to_owned(), value));
    told.into_iter().chain([key]).collect()
}

/// What is written to the item of one that did.
pub(super) fn worker_update(now: Millis) -> (Updates, Expected) {
    let updates = told(now).map(|(name, value)| (name, Update::Put(value)));
    (updates.into(), retirement())
}

/// That an item is a worker's: what is asked before it is removed.
pub(super) fn retirement() -> Expected {
    Expected::from([(ENTITY, Wanted::Is(text(WORKER)))])
}

/// Watches the leader's lock, whose version goes on with each of its heartbeats. A lock is trusted for its own duration
/// after its version was first seen, by our clock alone.
#[derive(Default)]
pub(super) struct LeaderWatch(Mutex<Option<(Value, Duration)>>);

impl LeaderWatch {
    /// Who gives out leases, by what the lock's item is at `now`.
    pub(super) fn assigning(&self, lock: Option<&Item>, now: Duration) -> Assigning {
        let mut seen = self.0.lock();
        let held = lock.filter(|lock| !lock.contains_key(LOCK_RELEASED));
        let version = held.and_then(|lock| Some((lock.get(LOCK_VERSION)?, duration(lock)?)));
        let Some((version, duration)) = version else {
            *seen = None;
            return Assigning::Consumers;
        };
        let since = match &*seen {
            Some((before, since)) if before == version => *since,
            _ => now,
        };
        *seen = Some((version.clone(), since));
        match now.saturating_sub(since) < duration {
            true => Assigning::Leader,
            false => Assigning::Consumers,
        }
    }
}

/// How long a lock holds without a heartbeat.
fn duration(lock: &Item) -> Option<Duration> {
    match lock.get(LOCK_MILLIS) {
        Some(Value::String(millis)) => millis.parse().ok().map(Duration::from_millis),
        _ => None,
    }
}
