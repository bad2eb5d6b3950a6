//! A stream in memory: its record, made ready for routing.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use headwater_catalog::Version;
use headwater_log::ShardNumber;
use headwater_types::{HashKey, Millis, SequenceNumber, ShardIndex};

use crate::{
    Error, ShardMetrics, ShardRecord, StreamRecord, calls::Calls, counters::Counters,
    following::Following, routes::Routes, subscriptions::Subscriptions, throttle::Throttle,
};

/// A stream as it was at one moment. It never changes: a change makes another, which shares the shards.
pub struct Stream {
    /// Its record in the catalog.
    pub record: StreamRecord,
    pub(crate) version: Version,
    shards: Vec<Arc<Shard>>,
    /// The open shards in order of their hash keys.
    targets: Vec<Target>,
    routes: Routes,
    /// Counts the records that went to shards in their turn.
    turns: Arc<AtomicUsize>,
    /// The counters of its calls.
    pub(crate) calls: Arc<Calls>,
    /// The counters of its consumers, by name.
    pub(crate) following: BTreeMap<String, Arc<Following>>,
    /// Counts of the shards that it no longer has.
    pub(crate) gone: ShardMetrics,
    /// Whether the log knows the shards, and what expires, as they are here.
    is_open: AtomicBool,
}

/// A shard of a stream.
pub struct Shard {
    /// Its record in the catalog.
    pub record: ShardRecord,
    /// Its number in the log.
    pub number: ShardNumber,
    pub(crate) live: Arc<Live>,
}

/// The part of an open shard that a put needs, close together: of thousands of shards, few are in the processor's caches.
pub(crate) struct Target {
    pub number: ShardNumber,
    pub index: ShardIndex,
    created: Millis,
    pub live: Arc<Live>,
}

/// The memory of a shard while the process runs, whatever becomes of its record.
#[derive(Default)]
pub(crate) struct Live {
    pub throttle: Throttle,
    pub counters: Counters,
    pub subscriptions: Subscriptions,
}

impl Stream {
    /// The stream of `record`; shards that `before` has as well keep what they have let through lately.
    pub(crate) fn new(record: StreamRecord, version: Version, before: Option<&Stream>) -> Self {
        let shard = |of: &ShardRecord| {
            let known = before.and_then(|b| b.shard(of.index).ok());
            known
                .filter(|known| known.record == *of)
                .cloned()
                .unwrap_or_else(|| {
                    let number = record.shard_number(of.index);
                    let live = known.map_or_else(Arc::default, |known| known.live.clone());
                    Arc::new(Shard {
                        record: of.clone(),
                        number,
                        live,
                    })
                })
        };
        let shards: Vec<Arc<Shard>> = record.shards.iter().map(shard).collect();
        let mut open: Vec<_> = shards
            .iter()
            .filter(|shard| shard.record.closed.is_none())
            .collect();
        open.sort_unstable_by_key(|shard| shard.record.range.start);
        let routes = Routes::new(open.iter().map(|shard| shard.record.range.start).collect());
        let targets = open.into_iter().map(|shard| Target::new(shard)).collect();
        let turns = before
            .map(|before| before.turns.clone())
            .unwrap_or_default();
        let calls = before
            .map(|before| before.calls.clone())
            .unwrap_or_default();
        let following = following(&record, before);
        let gone = before.map_or_else(ShardMetrics::default, |before| before.gone_without(&record));
        Self {
            record,
            version,
            shards,
            targets,
            routes,
            turns,
            calls,
            following,
            gone,
            is_open: AtomicBool::new(false),
        }
    }

    /// Counts of the shards that are gone, those among them that `record` no longer has.
    fn gone_without(&self, record: &StreamRecord) -> ShardMetrics {
        let has = |shard: &Shard| {
            let index = shard.record.index;
            let found = record.shards.binary_search_by_key(&index, |of| of.index);
            found.is_ok()
        };
        let gone = self.shards.iter().filter(|shard| !has(shard));
        let counts = gone.fold(self.gone, |sum, shard| sum.and(shard.metrics()));
        // Nobody reads them any more.
        ShardMetrics {
            iterator_age: 0,
            ..counts
        }
    }

    /// Whether the log knows the shards, and what expires, as they are here.
    pub(crate) fn is_open(&self) -> bool {
        self.is_open.load(Ordering::Acquire)
    }

    /// Notes that the log knows the shards.
    pub(crate) fn set_open(&self) {
        self.is_open.store(true, Ordering::Release);
    }

    /// Whether the log need not be told of what changed from `before`.
    pub(crate) fn is_as_open_as(&self, before: &Stream) -> bool {
        before.is_open()
            && self.record.log_retention() == before.record.log_retention()
            && self.record.shards == before.record.shards
    }

    /// All shards in order of their index, closed ones included.
    pub fn shards(&self) -> &[Arc<Shard>] {
        &self.shards
    }

    /// How many shards take records.
    pub fn open_shards(&self) -> u32 {
        self.targets.len() as u32
    }

    /// Whether a resharding is under way: parents are being sealed, children are not there yet.
    pub fn is_resharding(&self) -> bool {
        !self.record.resharding.is_empty()
    }

    /// The shard with this index.
    pub fn shard(&self, index: ShardIndex) -> Result<&Arc<Shard>, Error> {
        let place = self
            .shards
            .binary_search_by_key(&index, |shard| shard.record.index);
        let missing = |_| Error::NoShard {
            stream: self.record.name.clone(),
            shard: index,
        };
        place.map(|place| &self.shards[place]).map_err(missing)
    }

    /// The shards that took over when `parent` was closed.
    pub fn children(&self, parent: ShardIndex) -> impl Iterator<Item = &Arc<Shard>> {
        let of = move |shard: &&Arc<Shard>| {
            shard.record.parent == Some(parent) || shard.record.adjacent_parent == Some(parent)
        };
        self.shards.iter().filter(of)
    }

    /// An open shard, by what [`Self::route`] and [`Self::next_in_turn`] say.
    pub(crate) fn target(&self, nth: u32) -> &Target {
        &self.targets[nth as usize]
    }

    /// Which of the open shards owns `key`.
    pub(crate) fn route(&self, key: HashKey) -> u32 {
        self.routes.owner(key)
    }

    /// The open shard whose turn it is.
    pub(crate) fn next_in_turn(&self) -> u32 {
        (self.turns.fetch_add(1, Ordering::Relaxed) % self.targets.len()) as u32
    }
}

/// The counters of the consumers of `record`; those that were there `before` keep theirs.
fn following(record: &StreamRecord, before: Option<&Stream>) -> BTreeMap<String, Arc<Following>> {
    let kept = |name: &String, created| {
        let before = before?;
        let same = before.record.consumers.get(name)?.created == created;
        before.following.get(name).filter(|_| same).cloned()
    };
    let consumers = record.consumers.iter();
    let counters = consumers.map(|(name, consumer)| {
        let counters = kept(name, consumer.created).unwrap_or_default();
        (name.clone(), counters)
    });
    counters.collect()
}

impl Target {
    fn new(shard: &Shard) -> Self {
        let Shard {
            record: ShardRecord { index, created, .. },
            number,
            live,
        } = shard;
        Self {
            number: *number,
            index: *index,
            created: *created,
            live: live.clone(),
        }
    }

    /// The sequence number of the record at `offset`.
    pub fn sequence(&self, offset: u64, time: Millis) -> SequenceNumber {
        SequenceNumber::of_record(self.created, self.index, offset, time)
    }
}

impl Shard {
    /// The sequence number of the record at `offset`.
    pub fn sequence(&self, offset: u64, time: Millis) -> SequenceNumber {
        SequenceNumber::of_record(self.record.created, self.record.index, offset, time)
    }

    /// The sequence number that comes before every record.
    pub fn first_sequence(&self) -> SequenceNumber {
        SequenceNumber::start_of(self.record.created, self.record.index)
    }

    /// The sequence number that comes after every record of a closed shard.
    pub fn last_sequence(&self) -> Option<SequenceNumber> {
        let end = |closed| SequenceNumber::end_of(self.record.created, self.record.index, closed);
        self.record.closed.map(end)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use headwater_types::HashRange;

    use super::*;
    use crate::ConsumerRecord;

    pub(crate) fn record(shards: u32) -> StreamRecord {
        let created = Millis(1_700_000_000_000);
        let shard = |(range, index)| ShardRecord {
            index: ShardIndex(index),
            range,
            created,
            parent: None,
            adjacent_parent: None,
            closed: None,
        };
        StreamRecord {
            name: "s".parse().unwrap(),
            number: 1,
            created,
            shards: HashRange::split_evenly(shards)
                .into_iter()
                .zip(0..)
                .map(shard)
                .collect(),
            retention_hours: 24,
            trimmed: Millis::ZERO,
            max_record_bytes: 1 << 20,
            tags: Default::default(),
            resharding: Vec::new(),
            consumers: BTreeMap::new(),
            metrics: Default::default(),
            mode: Default::default(),
            mode_changes: Vec::new(),
            scalings: Vec::new(),
            distribution: Default::default(),
            encryption: None,
            encryption_starts: Vec::new(),
            encryption_stops: Vec::new(),
            policy: None,
        }
    }

    #[test]
    fn what_was_counted_stays_counted_when_a_shard_or_a_consumer_goes() {
        let created = |millis| ConsumerRecord {
            created: Millis(millis),
            tags: Default::default(),
            policy: None,
        };
        let mut record = record(3);
        let consumers = [("a", 1), ("b", 2)].map(|(name, at)| (name.to_owned(), created(at)));
        record.consumers = consumers.into();
        let stream = Stream::new(record.clone(), Version(1), None);
        for shard in stream.shards() {
            shard.live.counters.wrote(1, 1, 10);
            shard.live.counters.read(2, 20, 1000);
            shard.live.counters.is_at(1000);
        }
        let subscriptions: Vec<_> = stream
            .following
            .values()
            .map(Following::subscribe)
            .collect();
        let mut fewer = record;
        fewer.shards.remove(1);
        fewer.consumers.insert("b".into(), created(3));
        let after = Stream::new(fewer.clone(), Version(2), Some(&stream));
        let again = Stream::new(fewer, Version(3), Some(&after));
        for stream in [&stream, &after, &again] {
            let counted = stream.metrics();
            assert_eq!((counted.incoming_records, counted.incoming_bytes), (3, 30));
            assert_eq!((counted.outgoing_records, counted.outgoing_bytes), (6, 60));
        }
        assert_eq!(again.gone.iterator_age, 0);
        let now: Vec<_> = again.consumer_metrics().collect();
        assert_eq!(
            now.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            ["a", "b"]
        );
        let alive = now.iter().map(|(_, metrics)| metrics.subscriptions);
        assert_eq!(
            alive.collect::<Vec<_>>(),
            [1, 0],
            "another b was registered"
        );
        drop(subscriptions);
    }

    #[test]
    fn every_key_finds_the_open_shard_that_owns_it() {
        let mut record = record(10_000);
        // Shard 3 was split in two.
        let parent = record.shards[3].clone();
        record.shards[3].closed = Some(Millis(1_700_000_001_000));
        let middle = parent.range.start.0 + 5;
        for (index, start, end) in [
            (10_000, parent.range.start.0, middle - 1),
            (10_001, middle, parent.range.end.0),
        ] {
            let range = HashRange {
                start: HashKey(start),
                end: HashKey(end),
            };
            record.shards.push(ShardRecord {
                index: ShardIndex(index),
                range,
                parent: Some(ShardIndex(3)),
                ..parent.clone()
            });
        }
        let stream = Stream::new(record, Version(1), None);
        assert_eq!(stream.open_shards(), 10_001);
        assert_eq!(stream.children(ShardIndex(3)).count(), 2);
        for shard in stream.shards().iter().filter(|s| s.record.closed.is_none()) {
            for key in [shard.record.range.start, shard.record.range.end] {
                assert_eq!(stream.target(stream.route(key)).index, shard.record.index);
            }
        }
    }
}
