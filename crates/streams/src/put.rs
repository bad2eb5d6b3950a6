//! The way in: partition key to shard, the shard's limits, one append for the whole call.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use headwater_log::{Append, AppendError, Appended, NewRecord};
use headwater_types::{HashKey, Millis, SequenceNumber, ShardIndex};

use crate::{
    Distribution, Error, PutError, Stream, Streams,
    limits::{MAX_PUT_BYTES, PUT_ROUTES},
};

/// A record to put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutEntry {
    /// UTF-8. Decides the shard, unless `hash_key` or the stream itself does, and is kept with the data. Empty where
    /// there is none.
    pub partition_key: Bytes,
    /// Decides the shard.
    pub hash_key: Option<HashKey>,
    /// The record's data; may be empty.
    pub data: Bytes,
}

impl PutEntry {
    /// What limits count: data and partition key.
    pub fn bytes(&self) -> usize {
        self.partition_key.len() + self.data.len()
    }
}

/// Where a record was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// The shard.
    pub shard: ShardIndex,
    /// Its offset in the shard.
    pub offset: u64,
    /// The same as AWS numbers it.
    pub sequence: SequenceNumber,
    /// When it arrived.
    pub time: Millis,
    /// Whether it was encrypted.
    pub encrypted: bool,
}

/// The entries of a call that go to one shard, in their order.
struct Group {
    /// The shard's place in the stream.
    place: usize,
    /// The entries' places in the call.
    entries: Vec<u32>,
}

impl Streams {
    /// Puts records: one result an entry, in order; durable when this returns. Entries of one shard keep their order.
    /// Those whose shard is closed meanwhile go to its children.
    ///
    /// # Errors
    /// As a whole only when entries are too large; nothing was put then.
    pub async fn put(
        self: &Arc<Self>,
        stream: &Stream,
        entries: Vec<PutEntry>,
    ) -> Result<Vec<Result<Placed, PutError>>, Error> {
        stream.takes(&entries)?;
        let mut results: Vec<Option<Result<Placed, PutError>>> = vec![None; entries.len()];
        self.put_routed(stream, &entries, &mut results).await;
        let mut newer: Option<Arc<Stream>> = None;
        for _ in 0..PUT_ROUTES {
            let met_closed = |result: &Option<_>| matches!(result, Some(Err(PutError::Closed(_))));
            if !results.iter().any(met_closed) {
                break;
            }
            let Some(rerouted) = self.changed_since(newer.as_deref().unwrap_or(stream)).await else { break };
            results.iter_mut().filter(|result| met_closed(result)).for_each(|result| *result = None);
            self.put_routed(&rerouted, &entries, &mut results).await;
            newer = Some(rerouted);
        }
        Ok(results.into_iter().map(|result| result.expect("each entry was throttled or appended")).collect())
    }

    /// The stream as it became after `seen`, one of whose shards was found sealed; none when it has not changed and
    /// will not.
    async fn changed_since(self: &Arc<Self>, seen: &Stream) -> Option<Arc<Stream>> {
        let newer = || {
            let now = self.get(&seen.record.name).ok()?;
            (now.record.number == seen.record.number && now.version != seen.version).then_some(now)
        };
        if let Some(newer) = newer() {
            return Some(newer);
        }
        // A seal comes before the children: they are about to appear, or to be made up for.
        if let Err(error) = self.settle(seen.record.name.clone()).await {
            tracing::warn!(stream = %seen.record.name, %error, "a resharding could not be finished");
        }
        newer()
    }

    /// Puts the entries that have no result yet to the shards that `stream` has for them.
    async fn put_routed(
        &self,
        stream: &Stream,
        entries: &[PutEntry],
        results: &mut [Option<Result<Placed, PutError>>],
    ) {
        let mut groups = route(stream, entries, results);
        if self.options.limits {
            self.throttle(stream, entries, &mut groups, results);
        }
        let appended = self.log.append(self.appends(stream, entries, &groups)).await;
        for (group, appended) in groups.iter().zip(appended) {
            if appended.is_ok() {
                let bytes = group.entries.iter().map(|&entry| entries[entry as usize].bytes()).sum();
                stream.shards()[group.place].live.counters.wrote(group.entries.len(), bytes);
            }
            place(stream, group, appended, results);
        }
    }

    /// What the log is to keep, encrypted where the stream wants it.
    fn appends(&self, stream: &Stream, entries: &[PutEntry], groups: &[Group]) -> Vec<Append> {
        let append = |group: &Group| {
            let shard = stream.shards()[group.place].number;
            let record = |&entry: &u32| {
                let PutEntry { partition_key, data, .. } = &entries[entry as usize];
                match stream.record.encryption {
                    Some(_) => self.sealer.seal(shard, partition_key, data),
                    // Cheap: they share their bytes.
                    None => NewRecord { key: partition_key.clone(), value: data.clone() },
                }
            };
            Append { shard, records: group.entries.iter().map(record).collect() }
        };
        groups.iter().map(append).collect()
    }

    /// Takes out what the shards' limits refuse.
    fn throttle(
        &self,
        stream: &Stream,
        entries: &[PutEntry],
        groups: &mut Vec<Group>,
        results: &mut [Option<Result<Placed, PutError>>],
    ) {
        let now = self.env.clock.elapsed();
        for Group { place, entries: of } in groups.iter_mut() {
            let shard = &stream.shards()[*place];
            let sizes = of.iter().map(|&entry| entries[entry as usize].bytes());
            let mut admitted = shard.live.throttle.admit_writes(now, sizes).into_iter();
            of.retain(|&entry| {
                let admitted = admitted.next().expect("one answer a size");
                if !admitted {
                    shard.live.counters.refused_write();
                    results[entry as usize] = Some(Err(PutError::Throttled(shard.record.index)));
                }
                admitted
            });
        }
        groups.retain(|group| !group.entries.is_empty());
    }
}

impl Stream {
    /// Whether the entries are small enough to be put in one call.
    ///
    /// # Errors
    /// When they are not.
    pub fn takes(&self, entries: &[PutEntry]) -> Result<(), Error> {
        let limit = self.record.max_record_bytes;
        for (index, entry) in entries.iter().enumerate() {
            if entry.bytes() > limit as usize {
                return Err(Error::RecordTooLarge { index, bytes: entry.bytes(), limit });
            }
        }
        let total = entries.iter().map(PutEntry::bytes).sum();
        if total > MAX_PUT_BYTES { Err(Error::PutTooLarge(total)) } else { Ok(()) }
    }
}

/// The entries without a result, by their shards.
fn route(stream: &Stream, entries: &[PutEntry], results: &[Option<Result<Placed, PutError>>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    let mut group_of: HashMap<usize, usize> = HashMap::new();
    for ((entry, index), _) in entries.iter().zip(0..).zip(results).filter(|(_, result)| result.is_none()) {
        let place = match stream.record.distribution {
            Distribution::PartitionKey => {
                stream.route(entry.hash_key.unwrap_or_else(|| HashKey::of(&entry.partition_key)))
            }
            Distribution::Auto => stream.next_in_turn(),
        };
        let group = *group_of.entry(place).or_insert_with(|| {
            groups.push(Group { place, entries: Vec::new() });
            groups.len() - 1
        });
        groups[group].entries.push(index);
    }
    groups
}

fn place(
    stream: &Stream,
    group: &Group,
    appended: Result<Appended, AppendError>,
    results: &mut [Option<Result<Placed, PutError>>],
) {
    let shard = &stream.shards()[group.place];
    let index = shard.record.index;
    for (&entry, nth) in group.entries.iter().zip(0..) {
        results[entry as usize] = Some(match &appended {
            Ok(Appended { first_offset, time }) => {
                let (offset, time) = (first_offset + nth, *time);
                let encrypted = stream.record.encryption.is_some();
                Ok(Placed { shard: index, offset, sequence: shard.sequence(offset, time), time, encrypted })
            }
            Err(AppendError::Sealed | AppendError::Unknown(_)) => Err(PutError::Closed(index)),
            Err(AppendError::Log(error)) => Err(PutError::Log(error.clone())),
        });
    }
}
