//! How delivery streams are doing, for operators to see: told from memory, without asking the catalog.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use headwater_types::{Millis, Tallied, Tally};
use parking_lot::Mutex;

use crate::{
    Deliveries, DeliveryError, Incident,
    deliveries::Running,
    engine::Engine,
    intent::{Progress, Totals},
};

/// How a delivery stream is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its name.
    pub name: String,
    /// Its work in all its life.
    pub totals: Totals,
    /// Whether a batch is being delivered.
    pub delivering: bool,
    /// Records that are not delivered yet; none while the source does not answer.
    pub behind: Option<u64>,
    /// How long ago the oldest record arrived that was read and is not delivered; nothing where all is delivered, and
    /// none before the source was read since the process started.
    pub lag: Option<Duration>,
    /// The error that stops it, if one does.
    pub incident: Option<Incident>,
    /// Errors that stopped it since the process started.
    pub failures: u64,
    /// The records that were put into it since the process started; none where it reads a stream.
    pub taken: Option<Taken>,
}

/// Counts of the records that were put into a delivery stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Records that were taken.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records that the quotas refused.
    pub throttled: u64,
}

/// What was put into a delivery stream since this was taken last; each value is one call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenCalls {
    /// Records that were taken.
    pub records: Option<Tallied>,
    /// Their bytes.
    pub bytes: Option<Tallied>,
    /// Records that the quotas refused.
    pub throttled: Option<Tallied>,
}

/// The counters behind [`Taken`].
#[derive(Default)]
pub(crate) struct TakenCounters {
    records: Tally,
    bytes: Tally,
    throttled: Tally,
}

impl TakenCounters {
    pub fn took(&self, records: usize, bytes: usize) {
        self.records.add(records as u64);
        self.bytes.add(bytes as u64);
    }

    pub fn throttled(&self, records: usize) {
        self.throttled.add(records as u64);
    }

    pub fn now(&self) -> Taken {
        Taken {
            records: self.records.sum(),
            bytes: self.bytes.sum(),
            throttled: self.throttled.sum(),
        }
    }

    /// What was counted since this was asked last.
    pub fn take(&self) -> TakenCalls {
        TakenCalls {
            records: self.records.take(),
            bytes: self.bytes.take(),
            throttled: self.throttled.take(),
        }
    }
}

/// When the oldest record arrived that was read and is not delivered.
pub(crate) struct Oldest(AtomicU64);

impl Oldest {
    /// No record arrives then.
    const UNKNOWN: u64 = 0;
    const NONE: u64 = u64::MAX;

    /// There are records, the oldest of this time.
    pub fn is(&self, arrival: Millis) {
        self.0.store(arrival.0, Relaxed);
    }

    /// All that there is was read and delivered.
    pub fn is_none(&self) {
        self.0.store(Self::NONE, Relaxed);
    }

    fn lag(&self, now: Millis) -> Option<Duration> {
        match self.0.load(Relaxed) {
            Self::UNKNOWN => None,
            Self::NONE => Some(Duration::ZERO),
            arrival => Some(now.since(Millis(arrival))),
        }
    }
}

impl Default for Oldest {
    fn default() -> Self {
        Self(AtomicU64::new(Self::UNKNOWN))
    }
}

/// How far an engine is, as the catalog has it.
#[derive(Default)]
pub(crate) struct Reached(Mutex<At>);

#[derive(Default)]
struct At {
    positions: BTreeMap<String, u64>,
    totals: Totals,
    delivering: bool,
}

impl Reached {
    /// Takes over what was read or written.
    pub fn is(&self, progress: &Progress) {
        *self.0.lock() = At {
            positions: progress.positions.clone(),
            totals: progress.totals,
            delivering: progress.intent.is_some(),
        };
    }

    fn now(&self) -> (BTreeMap<String, u64>, Totals, bool) {
        let at = self.0.lock();
        (at.positions.clone(), at.totals, at.delivering)
    }
}

impl Deliveries {
    /// How a delivery stream is doing.
    pub async fn status(&self, name: &str) -> Result<Status, DeliveryError> {
        let running = self.running.read().get(name).cloned();
        let running = running.ok_or_else(|| DeliveryError::NotFound(name.to_owned()))?;
        Ok(self.status_of(name.to_owned(), &running).await)
    }

    /// How all delivery streams are doing, by name.
    pub async fn statuses(&self) -> Vec<Status> {
        let running = self.running.read().clone();
        let mut statuses = Vec::with_capacity(running.len());
        for (name, running) in running {
            statuses.push(self.status_of(name, &running).await);
        }
        statuses
    }

    async fn status_of(&self, name: String, running: &Running) -> Status {
        let engine = &running.engine;
        let (positions, totals, delivering) = engine.reached.now();
        let incidents = &engine.executor.incident;
        Status {
            name,
            totals,
            delivering,
            behind: behind(engine, &positions).await,
            lag: engine.oldest.lag(self.env.clock.now()),
            incident: incidents.current(),
            failures: incidents.total(),
            taken: engine.direct.as_ref().map(|_| running.taken.now()),
        }
    }
}

/// Records that are not delivered of an engine that is at these positions.
async fn behind(engine: &Engine, positions: &BTreeMap<String, u64>) -> Option<u64> {
    let shards = engine.source().await.ok()?.shards().await.ok()?;
    let next = |id: &str| positions.get(id).copied().unwrap_or(0);
    let left = shards.iter().map(|shard| {
        let from = next(&shard.id).max(shard.first);
        shard.end.saturating_sub(from)
    });
    Some(left.sum())
}
