//! The entries of one call, each with the puts that wait for it.

use std::sync::atomic::AtomicU64;

use headwater_aggregation::Aggregator;
use headwater_types::{HashKey, HashRange};

use crate::{
    Entry, Placed, PutError, Queued, Shard,
    limits::{AGGREGATE_BYTES_MAX, CALL_RECORDS_MAX},
    stats::{Counters, add},
};

/// An entry of a call that is not done yet.
pub(crate) struct Waiting {
    /// The puts packed together, where they are more than one.
    packed: Option<Packed>,
    puts: Vec<Queued>,
}

/// An aggregated record.
struct Packed {
    entry: Entry,
    /// From the least hash key in it to the greatest.
    span: HashRange,
}

impl Waiting {
    /// The entry that the call carries.
    pub fn entry(&self) -> &Entry {
        self.packed
            .as_ref()
            .map_or(&self.puts[0].entry, |packed| &packed.entry)
    }

    /// Whether it is an aggregated record.
    pub fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// It is stored in a shard of that range. The puts that come back are misplaced there: readers take the user
    /// records of an aggregated record for another shard's when their hash keys are.
    pub fn complete(self, placed: &Placed, range: HashRange, counters: &Counters) -> Vec<Queued> {
        let fits = self.packed.is_none_or(|packed| {
            range.contains(packed.span.start) && range.contains(packed.span.end)
        });
        let stays = |put: &Queued| fits || range.contains(put.entry.hash_key());
        let (done, misplaced): (Vec<Queued>, Vec<Queued>) = self.puts.into_iter().partition(stays);
        for put in done {
            add(&counters.sent, 1);
            add(&counters.bytes, put.entry.data.len());
            // Nobody has to wait for an outcome.
            drop(put.done.send(Ok(placed.clone())));
        }
        add(&counters.misplaced, misplaced.len());
        misplaced
    }

    /// It is given up.
    pub fn fail(self, error: &PutError, failed: &AtomicU64) {
        for put in self.puts {
            add(failed, 1);
            drop(put.done.send(Err(error.clone())));
        }
    }
}

/// The entries of calls, one call after the other: each record as an entry of its own.
pub(crate) fn plain(queued: Vec<Queued>) -> Vec<Vec<Waiting>> {
    let entries = queued.into_iter().map(|put| Waiting {
        packed: None,
        puts: vec![put],
    });
    in_calls(entries.collect())
}

/// The same with the records of each shard packed together, in their order; `shards` are the open ones by range.
///
/// A call has one entry a shard: so a key's records are never in two entries of one call, of which the first may fail
/// or be misplaced while the second is stored.
pub(crate) fn aggregated(queued: Vec<Queued>, shards: &[Shard]) -> Vec<Vec<Waiting>> {
    let mut packs: Vec<Pack> = (0..=shards.len()).map(|_| Pack::default()).collect();
    for put in queued {
        let hash = put.entry.hash_key();
        // 0 for a hash key that no shard is known for, then the shards.
        packs[shards.partition_point(|shard| shard.range.start <= hash)].add(put, hash);
    }
    let mut entries: Vec<_> = packs
        .into_iter()
        .map(|pack| pack.finish().into_iter())
        .collect();
    let mut calls = Vec::new();
    loop {
        let round: Vec<Waiting> = entries.iter_mut().filter_map(Iterator::next).collect();
        if round.is_empty() {
            return calls;
        }
        calls.extend(in_calls(round));
    }
}

fn in_calls(mut entries: Vec<Waiting>) -> Vec<Vec<Waiting>> {
    let mut calls = Vec::new();
    while entries.len() > CALL_RECORDS_MAX {
        let rest = entries.split_off(CALL_RECORDS_MAX);
        calls.push(std::mem::replace(&mut entries, rest));
    }
    calls.push(entries);
    calls
}

/// One shard's entries in the making.
struct Pack {
    aggregator: Aggregator,
    puts: Vec<Queued>,
    hashes: Vec<HashKey>,
    done: Vec<Waiting>,
}

impl Default for Pack {
    fn default() -> Self {
        let aggregator = Aggregator::new(AGGREGATE_BYTES_MAX);
        Self {
            aggregator,
            puts: Vec::new(),
            hashes: Vec::new(),
            done: Vec::new(),
        }
    }
}

impl Pack {
    fn add(&mut self, put: Queued, hash: HashKey) {
        if !self.fits(&put.entry) {
            self.close();
            if !self.fits(&put.entry) {
                // Too large for company.
                self.done.push(Waiting {
                    packed: None,
                    puts: vec![put],
                });
                return;
            }
        }
        self.puts.push(put);
        self.hashes.push(hash);
    }

    fn fits(&mut self, entry: &Entry) -> bool {
        let hash_key = entry.explicit_hash_key.as_ref().map(HashKey::to_string);
        self.aggregator
            .add(&entry.partition_key, hash_key.as_deref(), &entry.data)
    }

    /// Ends the aggregated record; one record alone stays as it is.
    fn close(&mut self) {
        let (puts, hashes) = (
            std::mem::take(&mut self.puts),
            std::mem::take(&mut self.hashes),
        );
        let (Some(aggregate), Some(first)) = (self.aggregator.finish(), hashes.first()) else {
            return;
        };
        // The first record's place, said outright, keeps the whole in its shard.
        let entry = Entry {
            partition_key: aggregate.partition_key,
            explicit_hash_key: Some(*first),
            data: aggregate.data,
        };
        let (start, end) = hashes.iter().fold((*first, *first), |(a, z), hash| {
            (a.min(*hash), z.max(*hash))
        });
        let packed = Packed {
            entry,
            span: HashRange { start, end },
        };
        self.done.push(Waiting {
            packed: (puts.len() > 1).then_some(packed),
            puts,
        });
    }

    fn finish(mut self) -> Vec<Waiting> {
        self.close();
        self.done
    }
}
