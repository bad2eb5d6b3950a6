//! How many records a queue has, and how old the oldest is that is not acknowledged.
//!
//! The state that the worker has in memory is looked at beside it, and the stream is asked here: the worker does nothing
//! for it, and nobody waits for the worker. Its turn may be about to commit what is seen here.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headwater_log::{Source, SourceError, SourceLimit};
use headwater_types::Millis;
use parking_lot::Mutex;

use crate::{Error, Queues, state::State};

/// How long an oldest record that was found is told of at a glance.
const GLANCE: Duration = Duration::from_secs(10);

/// How many records a queue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Depth {
    /// Records that may be received. Where a queue began at a time, those that arrived before it are among them until it
    /// has passed over them.
    pub waiting: u64,
    /// Records that were received, and are neither acknowledged nor back.
    pub in_flight: u64,
    /// Dead letters.
    pub dead_letters: u64,
    /// When the oldest of those arrived that wait or are in flight; none where there are none.
    pub oldest: Option<Millis>,
}

/// A queue's records as its worker has them in memory.
pub(crate) struct Loaded {
    /// Locked for as long as nothing is waited for. The worker alone changes it.
    pub state: Mutex<State>,
    pub source: Arc<dyn Source>,
    /// When the oldest record's arrival was looked for last at a glance, on the clock that never jumps, and what was found.
    pub glanced: Mutex<Option<(Duration, Option<Millis>)>>,
}

/// The facts about a queue's records that its worker has in memory.
struct Known {
    source: Arc<dyn Source>,
    again: u64,
    in_flight: u64,
    dead_letters: u64,
    /// The next offsets that were never received, by shard.
    positions: BTreeMap<Arc<str>, u64>,
    /// The first pending records that are no dead letters, by shard.
    pending: BTreeMap<Arc<str>, u64>,
}

impl Loaded {
    /// The facts as they are at `now`.
    fn known(&self, now: Millis) -> Known {
        let state = self.state.lock();
        let count = state.count(now);
        Known {
            source: self.source.clone(),
            again: count.again as u64,
            in_flight: count.in_flight as u64,
            dead_letters: count.dead as u64,
            positions: state.positions().collect(),
            pending: state.first_pending(now),
        }
    }
}

impl Queues {
    /// How many records a queue has; none before it was used, for then its records are in the catalog alone.
    pub async fn depth(&self, id: &str) -> Result<Option<Depth>, Error> {
        let loaded = self.queue(id)?.shared.loaded.lock().upgrade();
        match loaded.map(|loaded| loaded.known(self.env.clock.now())) {
            Some(known) => {
                let (mut depth, firsts) = known.count().await?;
                depth.oldest = known.oldest(&firsts).await?;
                Ok(Some(depth))
            }
            None => Ok(None),
        }
    }

    /// The same for somebody who asks every second: the oldest record, for which the stream is read, is looked for anew after
    /// some seconds only.
    pub async fn depth_at_a_glance(&self, id: &str) -> Result<Option<Depth>, Error> {
        let Some(loaded) = self.queue(id)?.shared.loaded.lock().upgrade() else {
            return Ok(None);
        };
        let known = loaded.known(self.env.clock.now());
        let (mut depth, firsts) = known.count().await?;
        let elapsed = self.env.clock.elapsed();
        let glanced = *loaded.glanced.lock();
        let is_new = |(at, _): &(Duration, _)| elapsed.saturating_sub(*at) < GLANCE;
        depth.oldest = match glanced.filter(is_new) {
            _ if firsts.is_empty() => None,
            Some((_, Some(oldest))) => Some(oldest),
            _ => {
                let oldest = known.oldest(&firsts).await?;
                *loaded.glanced.lock() = Some((elapsed, oldest));
                oldest
            }
        };
        Ok(Some(depth))
    }

    /// The names of all queues by their ids, as far as this process knows.
    pub fn names(&self) -> Vec<(String, String)> {
        let (records, _) = self.list(None, usize::MAX, |_| true);
        let named = records.into_iter().map(|record| (record.id, record.name));
        named.collect()
    }
}

impl Known {
    /// How many records there are, without the oldest; and the first offset of each shard that has any.
    async fn count(&self) -> Result<(Depth, Vec<(String, u64)>), SourceError> {
        let mut depth = Depth {
            waiting: self.again,
            in_flight: self.in_flight,
            dead_letters: self.dead_letters,
            oldest: None,
        };
        let mut firsts = Vec::new();
        for shard in self.source.shards().await? {
            let next = self.positions.get(&*shard.id).copied().unwrap_or(0);
            let next = next.max(shard.first);
            depth.waiting += shard.end.saturating_sub(next);
            let new = (next < shard.end).then_some(next);
            let pending = self.pending.get(&*shard.id).copied();
            let first = pending.into_iter().chain(new).min();
            firsts.extend(first.map(|first| (shard.id, first)));
        }
        Ok((depth, firsts))
    }

    /// When the oldest of these arrived.
    async fn oldest(&self, firsts: &[(String, u64)]) -> Result<Option<Millis>, SourceError> {
        let mut oldest: Option<Millis> = None;
        for (shard, first) in firsts {
            let arrival = self.arrival(shard, *first).await?;
            oldest = oldest.into_iter().chain(arrival).min();
        }
        Ok(oldest)
    }

    /// When the record at an offset arrived, or the oldest behind it that there still is.
    async fn arrival(&self, shard: &str, offset: u64) -> Result<Option<Millis>, SourceError> {
        let limit = SourceLimit {
            records: 1,
            bytes: 1,
        };
        match self.source.read(shard, offset, limit).await {
            Ok(chunk) => Ok(chunk.records.first().map(|record| record.arrival)),
            Err(SourceError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
