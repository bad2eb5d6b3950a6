//! What one call carries: entries, each with the puts that wait for it.

use std::sync::atomic::AtomicU64;

use headwater_aggregation::Aggregator;
use headwater_types::HashKey;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::{
    Entry, Placed, PutError, Queued, Shard,
    limits::AGGREGATE_BYTES_MAX,
    stats::{Counters, add},
};

/// An entry of a call that is not done yet.
pub(crate) struct Waiting {
    pub entry: Entry,
    puts: Vec<Put>,
}

/// One put in an entry; more than one where they are aggregated.
struct Put {
    bytes: usize,
    done: oneshot::Sender<Result<Placed, PutError>>,
    _room: OwnedSemaphorePermit,
}

impl Waiting {
    /// It is stored.
    pub fn complete(self, placed: &Placed, counters: &Counters) {
        for put in self.puts {
            add(&counters.sent, 1);
            add(&counters.bytes, put.bytes);
            // Nobody has to wait for an outcome.
            drop(put.done.send(Ok(placed.clone())));
        }
    }

    /// It is given up.
    pub fn fail(self, error: &PutError, failed: &AtomicU64) {
        for put in self.puts {
            add(failed, 1);
            drop(put.done.send(Err(error.clone())));
        }
    }
}

impl From<Queued> for Waiting {
    fn from(queued: Queued) -> Self {
        let (entry, put) = queued.into_parts();
        Self { entry, puts: vec![put] }
    }
}

impl Queued {
    fn into_parts(self) -> (Entry, Put) {
        let put = Put { bytes: self.entry.data.len(), done: self.done, _room: self._room };
        (self.entry, put)
    }
}

/// Each record as an entry of its own.
pub(crate) fn plain(queued: Vec<Queued>) -> Vec<Waiting> {
    queued.into_iter().map(Waiting::from).collect()
}

/// The records of each shard packed together, in their order; `shards` are the open ones by range.
pub(crate) fn aggregated(queued: Vec<Queued>, shards: &[Shard]) -> Vec<Waiting> {
    let mut packs: Vec<Pack> = (0..=shards.len()).map(|_| Pack::default()).collect();
    let mut done = Vec::new();
    for queued in queued {
        let hash = queued.entry.hash_key();
        // 0 for a hash key that no shard is known for, then the shards.
        let pack = &mut packs[shards.partition_point(|shard| shard.range.start <= hash)];
        let (entry, put) = queued.into_parts();
        if !pack.add(&entry) {
            done.extend(pack.finish());
            if !pack.add(&entry) {
                done.push(Waiting { entry, puts: vec![put] });
                continue;
            }
        }
        pack.first.get_or_insert(entry);
        pack.puts.push(put);
    }
    done.extend(packs.iter_mut().filter_map(Pack::finish));
    done
}

/// An aggregated record in the making.
struct Pack {
    aggregator: Aggregator,
    first: Option<Entry>,
    puts: Vec<Put>,
}

impl Default for Pack {
    fn default() -> Self {
        Self { aggregator: Aggregator::new(AGGREGATE_BYTES_MAX), first: None, puts: Vec::new() }
    }
}

impl Pack {
    fn add(&mut self, entry: &Entry) -> bool {
        let hash_key = entry.explicit_hash_key.as_ref().map(HashKey::to_string);
        self.aggregator.add(&entry.partition_key, hash_key.as_deref(), &entry.data)
    }

    /// What was packed; one record alone stays as it is.
    fn finish(&mut self) -> Option<Waiting> {
        let (aggregate, first) = (self.aggregator.finish()?, self.first.take()?);
        let puts = std::mem::take(&mut self.puts);
        if puts.len() == 1 {
            return Some(Waiting { entry: first, puts });
        }
        // The first record's place, said outright, keeps the whole in its shard.
        let explicit_hash_key = Some(first.hash_key());
        let entry = Entry { partition_key: aggregate.partition_key, explicit_hash_key, data: aggregate.data };
        Some(Waiting { entry, puts })
    }
}
