//! The way in: partition key to shard, the shard's limits, one append for the whole call.

use std::sync::Arc;

use bytes::Bytes;
use headwater_log::{Append, AppendError, Appended, NewRecord};
use headwater_sealing::SEALED_KEY;
use headwater_types::{HashKey, Millis, SequenceNumber, ShardIndex};

use crate::{
    Distribution, Error, PutError, Stream, Streams,
    limits::{MAX_PUT_BYTES, PUT_ROUTES},
    stream::Target,
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
    /// Bytes of data and partition key: limits count these.
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

/// An entry of a call that is on its way. In order of these, the entries of a shard stand together, as they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Routed {
    /// The shard's place among those that are open.
    place: u32,
    /// The entry's place in the call.
    entry: u32,
}

impl Routed {
    /// The entry's place in the call.
    pub fn entry(&self) -> usize {
        self.entry as usize
    }

    pub fn shard(self, stream: &Stream) -> &Target {
        stream.target(self.place)
    }

    pub fn of(self, entries: &[PutEntry]) -> &PutEntry {
        &entries[self.entry()]
    }
}

/// The entries shard by shard.
pub(crate) fn groups(routed: &[Routed]) -> impl Iterator<Item = &[Routed]> {
    routed.chunk_by(|one, next| one.place == next.place)
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
        let began = self.env.clock.elapsed();
        let results = self.put_each(stream, &entries).await;
        let took = self.env.clock.elapsed().saturating_sub(began);
        let sizes = entries.iter().map(PutEntry::bytes);
        stream.calls.put_many.put_many(&results, sizes, took);
        Ok(results)
    }

    /// Puts a record, as [`Self::put`] does, as a call that is counted with its like.
    ///
    /// # Errors
    /// When the entry is too large; or why it was not put.
    pub async fn put_one(
        self: &Arc<Self>,
        stream: &Stream,
        entry: PutEntry,
    ) -> Result<Result<Placed, PutError>, Error> {
        let entries = [entry];
        stream.takes(&entries)?;
        let began = self.env.clock.elapsed();
        let result = self.put_each(stream, &entries).await.remove(0);
        let took = self.env.clock.elapsed().saturating_sub(began);
        let [entry] = &entries;
        let put_one = &stream.calls.put_one;
        put_one.put_one(result.is_ok(), entry.bytes(), took);
        Ok(result)
    }

    /// Puts entries that are small enough: one result each.
    async fn put_each(
        self: &Arc<Self>,
        stream: &Stream,
        entries: &[PutEntry],
    ) -> Vec<Result<Placed, PutError>> {
        let mut results: Vec<Option<Result<Placed, PutError>>> = vec![None; entries.len()];
        self.put_routed(stream, entries, &mut results).await;
        let mut newer: Option<Arc<Stream>> = None;
        for _ in 0..PUT_ROUTES {
            let met_closed = |result: &Option<_>| matches!(result, Some(Err(PutError::Closed(_))));
            if !results.iter().any(met_closed) {
                break;
            }
            let Some(rerouted) = self.changed_since(newer.as_deref().unwrap_or(stream)).await
            else {
                break;
            };
            results
                .iter_mut()
                .filter(|result| met_closed(result))
                .for_each(|result| *result = None);
            self.put_routed(&rerouted, entries, &mut results).await;
            newer = Some(rerouted);
        }
        results
            .into_iter()
            .map(|result| result.expect("each entry was throttled or appended"))
            .collect()
    }

    /// The stream as it became after `seen`, one of whose shards was found sealed; none when it has not changed and
    /// will not.
    pub(crate) async fn changed_since(self: &Arc<Self>, seen: &Stream) -> Option<Arc<Stream>> {
        let was_open = seen.is_open();
        let newer = || {
            let now = self.get(&seen.record.name).ok()?;
            let is_same = now.record.number == seen.record.number;
            let has_changed = now.version != seen.version || (now.is_open() && !was_open);
            (is_same && has_changed).then_some(now)
        };
        if let Some(newer) = newer() {
            return Some(newer);
        }
        // A seal comes before the children: they are about to appear, or to be made up for. Or the log has yet to learn of
        // the shard.
        if let Err(error) = self.settle(seen.record.name.clone()).await {
            tracing::warn!(stream = %seen.record.name, %error, "its shards could not be made ready");
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
        let mut routed = route(stream, entries, results);
        if self.options.limits {
            self.throttle(stream, entries, &mut routed, results);
        }
        let sealed = self.sealed(stream, entries, &routed);
        let records = records(entries, &routed, &sealed);
        let appended = self.log.append(&appends(stream, &routed, &records)).await;
        groups(&routed).for_each(|group| group[0].shard(stream).live.counters.fetch());
        for (group, appended) in groups(&routed).zip(appended) {
            let shard = group[0].shard(stream);
            if let Ok(appended) = &appended {
                shard.wrote(appended, group, entries);
            }
            let encrypted = stream.record.encryption.is_some();
            for (one, nth) in group.iter().zip(0..) {
                results[one.entry as usize] = Some(place(shard, &appended, nth, encrypted));
            }
        }
    }

    /// The log's values of the entries where the stream wants them encrypted, otherwise none.
    pub(crate) fn sealed(
        &self,
        stream: &Stream,
        entries: &[PutEntry],
        routed: &[Routed],
    ) -> Vec<Vec<u8>> {
        if stream.record.encryption.is_none() {
            return Vec::new();
        }
        let seal = |one: &Routed| {
            let PutEntry {
                partition_key,
                data,
                ..
            } = one.of(entries);
            self.sealer
                .seal(one.shard(stream).number, partition_key, data)
        };
        routed.iter().map(seal).collect()
    }

    /// Takes out what the shards' limits refuse.
    fn throttle(
        &self,
        stream: &Stream,
        entries: &[PutEntry],
        routed: &mut Vec<Routed>,
        results: &mut [Option<Result<Placed, PutError>>],
    ) {
        let now = self.env.clock.elapsed();
        let admit = |group: &[Routed]| {
            let sizes = group.iter().map(|one| one.of(entries).bytes());
            group[0]
                .shard(stream)
                .live
                .throttle
                .admit_writes(now, sizes)
        };
        let mut all = Vec::with_capacity(routed.len());
        for group in groups(routed) {
            let admitted = admit(group);
            let refused = admitted.iter().filter(|admitted| !**admitted).count();
            let counters = &group[0].shard(stream).live.counters;
            counters.refused_writes(refused);
            all.extend(admitted);
        }
        let mut admitted = all.into_iter();
        routed.retain(|one| {
            let admitted = admitted.next().expect("one answer an entry");
            if !admitted {
                let shard = one.shard(stream);
                results[one.entry as usize] = Some(Err(PutError::Throttled(shard.index)));
            }
            admitted
        });
    }
}

impl Stream {
    /// Whether the entries are small enough to be put in one call.
    ///
    /// # Errors
    /// When they are not.
    pub fn takes(&self, entries: &[PutEntry]) -> Result<(), Error> {
        self.takes_each(entries)?;
        let total = entries.iter().map(PutEntry::bytes).sum();
        if total > MAX_PUT_BYTES {
            Err(Error::PutTooLarge(total))
        } else {
            Ok(())
        }
    }

    /// Whether each entry is small enough by itself.
    pub(crate) fn takes_each(&self, entries: &[PutEntry]) -> Result<(), Error> {
        let limit = self.record.max_record_bytes;
        for (index, entry) in entries.iter().enumerate() {
            if entry.bytes() > limit as usize {
                return Err(Error::RecordTooLarge {
                    index,
                    bytes: entry.bytes(),
                    limit,
                });
            }
        }
        Ok(())
    }
}

impl Target {
    /// Counts entries of a call that the shard has now.
    pub(crate) fn wrote(&self, appended: &Appended, group: &[Routed], entries: &[PutEntry]) {
        let bytes = group.iter().map(|one| one.of(entries).bytes()).sum();
        let minute = appended.time.minute();
        self.live.counters.wrote(minute, group.len(), bytes);
    }
}

/// The entries without a result, by their shards.
pub(crate) fn route(
    stream: &Stream,
    entries: &[PutEntry],
    results: &[Option<Result<Placed, PutError>>],
) -> Vec<Routed> {
    let waiting = entries
        .iter()
        .zip(0..)
        .zip(results)
        .filter(|(_, result)| result.is_none());
    let waiting = waiting.map(|((entry, nth), _)| (nth, entry));
    let mut routed: Vec<Routed> = match stream.record.distribution {
        Distribution::PartitionKey => {
            let key = |entry: &PutEntry| {
                entry
                    .hash_key
                    .unwrap_or_else(|| HashKey::of(&entry.partition_key))
            };
            // All keys first: among thousands of shards, the memory is then asked for many routes at one time.
            let keys: Vec<(u32, HashKey)> = waiting.map(|(nth, entry)| (nth, key(entry))).collect();
            keys.into_iter()
                .map(|(entry, key)| Routed {
                    place: stream.route(key),
                    entry,
                })
                .collect()
        }
        Distribution::Auto => waiting
            .map(|(entry, _)| Routed {
                place: stream.next_in_turn(),
                entry,
            })
            .collect(),
    };
    routed.sort_unstable();
    routed
}

/// The log's record of each entry.
pub(crate) fn records<'a>(
    entries: &'a [PutEntry],
    routed: &[Routed],
    sealed: &'a [Vec<u8>],
) -> Vec<NewRecord<'a>> {
    if !sealed.is_empty() {
        return sealed
            .iter()
            .map(|value| NewRecord {
                key: SEALED_KEY,
                value,
            })
            .collect();
    }
    let record = |one: &Routed| {
        let PutEntry {
            partition_key,
            data,
            ..
        } = one.of(entries);
        NewRecord {
            key: partition_key,
            value: data,
        }
    };
    routed.iter().map(record).collect()
}

/// One append a shard. `records` are those of `routed`, in its order.
pub(crate) fn appends<'a>(
    stream: &Stream,
    routed: &[Routed],
    mut records: &'a [NewRecord<'a>],
) -> Vec<Append<'a>> {
    let append = |group: &[Routed]| {
        let (of_shard, behind) = records.split_at(group.len());
        records = behind;
        Append {
            shard: group[0].shard(stream).number,
            records: of_shard,
        }
    };
    groups(routed).map(append).collect()
}

/// The result of the `nth` of the records that were appended to a shard together.
fn place(
    shard: &Target,
    appended: &Result<Appended, AppendError>,
    nth: u64,
    encrypted: bool,
) -> Result<Placed, PutError> {
    let index = shard.index;
    match appended {
        Ok(Appended { first_offset, time }) => {
            let (offset, time) = (first_offset + nth, *time);
            Ok(Placed {
                shard: index,
                offset,
                sequence: shard.sequence(offset, time),
                time,
                encrypted,
            })
        }
        Err(AppendError::Sealed | AppendError::Unknown(_)) => Err(PutError::Closed(index)),
        Err(AppendError::Log(error)) => Err(PutError::Log(error.clone())),
    }
}
