//! A queue's records: listed and read in its stream, found for a receive, and taken into flight.

use std::{collections::HashMap, sync::Arc, time::Duration};

use headwater_log::{SourceChunk, SourceError, SourceLimit, SourceRecord};
use headwater_types::Millis;
use parking_lot::MutexGuard;

use crate::{
    Error, Kind, Receipt, Received,
    depth::Loaded,
    limits::{RECEIVE_BYTES, ROWS_A_COMMIT, UNACKNOWLEDGED},
    state::{Key, State},
};

/// A shard of the stream that may have records to receive.
pub(crate) struct Shard {
    pub id: Arc<str>,
    /// It ended, and all of it was received or passed over.
    pub is_drained: bool,
}

/// The worker's knowledge of its queue, once it was read.
pub(crate) struct Open {
    pub loaded: Arc<Loaded>,
    pub shards: Vec<Shard>,
    /// When they were listed; none when they are to be listed anew.
    pub listed: Option<Duration>,
}

/// The records that one receive has found so far.
pub(crate) struct Found {
    limit: usize,
    bytes: usize,
    pub records: Vec<(Key, SourceRecord)>,
    /// How far shards are when these are received.
    positions: Vec<(Arc<str>, u64)>,
}

impl Found {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            bytes: 0,
            records: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// How many more there may be; none when it is enough.
    fn room(&self) -> Option<SourceLimit> {
        let records = self.limit - self.records.len().min(self.limit);
        let bytes = RECEIVE_BYTES.saturating_sub(self.bytes);
        (records > 0 && bytes > 0).then_some(SourceLimit { records, bytes })
    }

    fn push(&mut self, key: Key, record: SourceRecord) {
        self.bytes += record.data.len();
        self.records.push((key, record));
    }
}

impl Open {
    /// The state, for as long as nothing is waited for.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.loaded.state.lock()
    }

    /// Lists the shards, and drops what the stream no longer has.
    pub async fn list(&mut self) -> Result<(), Error> {
        let listed = self.loaded.source.shards().await?;
        let first: HashMap<&str, u64> = listed
            .iter()
            .map(|shard| (shard.id.as_str(), shard.first))
            .collect();
        self.state()
            .forget_expired(|shard| first.get(shard).copied(), ROWS_A_COMMIT);
        let shard = |shard: &headwater_log::SourceShard| Shard {
            id: shard.id.as_str().into(),
            is_drained: shard.ended && self.state().position(&shard.id) >= shard.end,
        };
        self.shards = listed.iter().map(shard).collect();
        Ok(())
    }

    /// Adds records that were received before and came back.
    pub async fn find_again(
        &mut self,
        kind: Kind,
        now: Millis,
        found: &mut Found,
    ) -> Result<(), Error> {
        loop {
            let Some(room) = found.room() else {
                return Ok(());
            };
            let due = self.state().due(kind, now, room.records);
            let mut has_expired = false;
            for key in due {
                let Some(room) = found.room() else {
                    return Ok(());
                };
                let limit = SourceLimit { records: 1, ..room };
                let chunk = self.read(&key.shard, key.offset, limit).await?;
                match chunk
                    .records
                    .into_iter()
                    .next()
                    .filter(|record| record.offset == key.offset)
                {
                    Some(record) => found.push(key, record),
                    None => {
                        self.state().forget(&key);
                        has_expired = true;
                    }
                }
            }
            if !has_expired || !found.records.is_empty() {
                return Ok(());
            }
        }
    }

    /// Adds records that were never received and arrived at `since` or later, from one shard after the other.
    pub async fn find_new(
        &mut self,
        since: Millis,
        turn: usize,
        found: &mut Found,
    ) -> Result<(), Error> {
        let count = self.shards.len();
        let before = found.records.len();
        let most = UNACKNOWLEDGED.saturating_sub(self.state().unacknowledged());
        for at in (0..count).map(|n| (turn + n) % count) {
            while !self.shards[at].is_drained
                && let Some(room) = found.room()
            {
                let left = most.saturating_sub(found.records.len() - before);
                if left == 0 {
                    return Err(Error::TooManyUnacknowledged);
                }
                let limit = SourceLimit {
                    records: room.records.min(left),
                    ..room
                };
                if self.find_new_in(at, since, limit, found).await? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Reads once from one shard; whether its present end was reached.
    async fn find_new_in(
        &mut self,
        at: usize,
        since: Millis,
        limit: SourceLimit,
        found: &mut Found,
    ) -> Result<bool, Error> {
        let shard = self.shards[at].id.clone();
        let known = found
            .positions
            .iter()
            .rev()
            .find(|(id, _)| *id == shard)
            .map(|(_, next)| *next);
        let from = known.unwrap_or_else(|| self.state().position(&shard));
        let chunk = self.read(&shard, from, limit).await?;
        for record in chunk.records {
            let key = Key {
                shard: shard.clone(),
                offset: record.offset,
            };
            if record.arrival >= since && !self.state().is_pending(&key) {
                found.push(key, record);
            }
        }
        found.positions.push((shard, chunk.next));
        let is_at_end = chunk.next >= chunk.end;
        if is_at_end && chunk.ended {
            self.shards[at].is_drained = true;
            // Its children may be new.
            self.listed = None;
        }
        Ok(is_at_end || chunk.next == from)
    }

    /// A read; a shard that is gone has no records.
    async fn read(
        &mut self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, Error> {
        match self.loaded.source.read(shard, from, limit).await {
            Ok(chunk) => Ok(chunk),
            Err(SourceError::NotFound(_)) => {
                self.listed = None;
                Ok(SourceChunk {
                    records: Vec::new(),
                    next: from,
                    end: from,
                    ended: false,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes what was found into flight.
    pub fn claim(
        &mut self,
        found: Found,
        queue: &str,
        kind: Kind,
        now: Millis,
        visible: Millis,
    ) -> Vec<Received> {
        let mut state = self.state();
        for (shard, next) in &found.positions {
            state.advance(shard, *next);
        }
        let claim = |(key, record): (Key, SourceRecord)| {
            let pending = state.receive(&key, now, visible);
            let (queue, shard, offset) = (queue.to_owned(), key.shard.to_string(), key.offset);
            let receipt = Receipt {
                queue,
                kind,
                shard,
                offset,
                number: pending.receipt,
            };
            Received {
                receipt,
                record,
                first: pending.first,
                receives: pending.receives,
            }
        };
        found.records.into_iter().map(claim).collect()
    }
}
