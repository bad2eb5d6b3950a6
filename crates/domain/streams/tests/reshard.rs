//! Resharding against a model: no record lost, none twice, order by key, lineage, and the ring always covered.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use headwater_log::ShardLog;
use headwater_streams::{Error, Options, PutError, ReadRecord, ShardFilter, Start, Stream};
use headwater_types::{HashKey, ShardIndex};
use proptest::prelude::*;
use support::{NO_LIMITS, World, entry, entry_at, name};

const HOUR: u64 = 3_600_000;

fn shard(n: u32) -> ShardIndex {
    ShardIndex(n)
}

#[tokio::test]
async fn a_split_leaves_a_parent_that_can_be_read_and_two_children() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.put(&stream, entry_at(HashKey(5), "before")).await;
    world
        .streams
        .split(name("a"), shard(0), HashKey(1 << 127))
        .await
        .unwrap();
    let stream = world.stream("a");
    assert!(!stream.is_resharding() && stream.open_shards() == 2);
    let low = world.put(&stream, entry_at(HashKey(5), "low")).await;
    let high = world
        .put(&stream, entry_at(HashKey(u128::MAX), "high"))
        .await;
    assert_eq!((low.shard, high.shard), (shard(1), shard(2)));
    let parent = &stream.shards()[0];
    let read = world.streams.read(&stream, parent, 0, 10).await.unwrap();
    assert_eq!((read.records.len(), read.ended), (1, true));
    assert!(
        read.records[0].sequence < low.sequence && parent.last_sequence().unwrap() < low.sequence
    );
    assert_eq!(stream.children(shard(0)).count(), 2);
}

#[tokio::test]
async fn a_put_that_knows_only_the_parent_reaches_the_children() {
    let world = World::new(NO_LIMITS).await;
    let old = world.create("a", 2).await;
    world.streams.scale(name("a"), 4).await.unwrap();
    world.streams.scale(name("a"), 3).await.unwrap();
    let entries = (0..300)
        .map(|n: u32| entry(&n.to_string(), n.to_string()))
        .collect();
    let placed = world.streams.put(&old, entries).await.unwrap();
    let now = world.stream("a");
    assert!(placed.iter().all(|put| {
        now.shard(put.as_ref().unwrap().shard)
            .unwrap()
            .record
            .closed
            .is_none()
    }));
}

#[tokio::test]
async fn puts_pass_while_shards_come_and_go() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 2).await;
    let writer = |id: u32| {
        let world = &world;
        async move {
            for n in 0..60u32 {
                let entries =
                    (0..5).map(|key| entry(&format!("{id}-{key}"), format!("{id}-{key} {n}")));
                for put in world
                    .streams
                    .put(&world.stream("a"), entries.collect())
                    .await
                    .unwrap()
                {
                    put.unwrap();
                }
            }
        }
    };
    let resharder = async {
        for target in [4, 3, 6, 2, 5, 1, 2, 4] {
            world.streams.scale(name("a"), target).await.unwrap();
        }
    };
    tokio::join!(writer(0), writer(1), writer(2), resharder);
    let read = read_lineage(&world).await;
    assert_eq!(read.len(), 3 * 60 * 5);
    for key in read
        .iter()
        .map(|record| record.partition_key.clone())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let of_key: Vec<_> = read
            .iter()
            .filter(|record| record.partition_key == key)
            .collect();
        assert!(
            of_key
                .windows(2)
                .all(|pair| pair[0].sequence < pair[1].sequence)
        );
        let order = |r: &&ReadRecord| {
            std::str::from_utf8(&r.data)
                .unwrap()
                .rsplit_once(' ')
                .unwrap()
                .1
                .parse::<u32>()
        };
        assert!(of_key.iter().map(order).map(Result::unwrap).eq(0..60));
    }
}

#[tokio::test]
async fn scaling_keeps_to_its_limits() {
    let world = World::new(Options::default()).await;
    world.create("a", 4).await;
    let scale = async |to| world.streams.scale(name("a"), to).await;
    assert_eq!(
        scale(9).await,
        Err(Error::ScaledTooFar { open: 4, target: 9 })
    );
    assert_eq!(
        scale(1).await,
        Err(Error::ScaledTooFar { open: 4, target: 1 })
    );
    assert_eq!(
        scale(10_001).await,
        Err(Error::ScaledOverQuota {
            open: 4,
            target: 10_001,
            quota: 10_000
        })
    );
    for n in 0..10 {
        assert_eq!(scale(4 + (n + 1) % 2).await, Ok(4 + n % 2));
        world.advance(HOUR);
    }
    assert_eq!(scale(5).await, Err(Error::ScaledTooOften(name("a"))));
    world.advance(14 * HOUR);
    assert_eq!(scale(5).await, Ok(4));
}

#[tokio::test]
async fn the_quota_counts_open_shards() {
    let world = World::new(Options {
        limits: false,
        shard_quota: 5,
    })
    .await;
    world.create("a", 4).await;
    let split = async |n: u32, at| world.streams.split(name("a"), shard(n), HashKey(at)).await;
    split(0, 2).await.unwrap();
    assert_eq!(
        split(1, 2).await,
        Err(Error::ShardQuota {
            open: 5,
            quota: 5,
            asked: 1
        })
    );
    world
        .streams
        .merge(name("a"), shard(4), shard(5))
        .await
        .unwrap();
    assert_eq!(
        world.streams.scale(name("a"), 6).await,
        Err(Error::ScaledOverQuota {
            open: 4,
            target: 6,
            quota: 5
        })
    );
    assert_eq!(world.streams.scale(name("a"), 5).await, Ok(4));
}

#[tokio::test]
async fn parents_vanish_once_their_records_have_expired() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.put(&stream, entry("k", "x")).await;
    world
        .streams
        .split(name("a"), shard(0), HashKey(1 << 100))
        .await
        .unwrap();
    let listed = || {
        let page = world
            .streams
            .list_shards(&world.stream("a"), None, ShardFilter::default(), 10);
        page.shards
            .iter()
            .map(|shard| shard.record.index.0)
            .collect::<Vec<_>>()
    };
    world.advance(24 * HOUR + 999);
    assert_eq!(listed(), [0, 1, 2]);
    world.advance(1);
    assert_eq!(listed(), [1, 2]);
    let number = stream.shards()[0].number;
    world
        .streams
        .merge(name("a"), shard(1), shard(2))
        .await
        .unwrap();
    assert!(
        world.stream("a").shard(shard(0)).is_err(),
        "the next change forgets it"
    );
    assert!(!world.log.shards().await.unwrap().contains(&number));
}

#[tokio::test]
async fn a_sealed_shard_without_children_refuses() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.log.seal(stream.shards()[0].number).await.unwrap();
    let refused = world
        .streams
        .put(&stream, vec![entry("k", "z")])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(refused, Err(PutError::Closed(shard(0))));
}

/// The machine dies at every commit of a resharding in turn; a restart, or a put without one, makes up for it.
#[tokio::test]
async fn a_death_at_any_commit_is_made_up_for() {
    for by_restart in [true, false] {
        for commits in 0..3 {
            let mut world = World::new(NO_LIMITS).await;
            let stream = world.create("a", 2).await;
            world.put(&stream, entry_at(HashKey(0), "x")).await;
            world.catalog.fail_after(commits);
            let outcome = world.streams.scale(name("a"), 3).await;
            world.catalog.mend();
            assert_eq!(
                outcome.is_ok(),
                commits == 2,
                "two commits make a resharding"
            );
            assert_eq!(world.stream("a").is_resharding(), commits == 1);
            if by_restart {
                world = world.reopen().await;
            }
            let put = world
                .put(&world.stream("a"), entry_at(HashKey(0), "y"))
                .await;
            let now = world.stream("a");
            assert!(!now.is_resharding());
            assert_eq!(now.open_shards(), if commits == 0 { 2 } else { 3 });
            assert_eq!(put.shard, shard(if commits == 0 { 0 } else { 2 }));
            check_ring(&now);
            assert_eq!(read_lineage(&world).await.len(), 2);
        }
    }
}

/// Every record that can be read, parents before children.
async fn read_lineage(world: &World) -> Vec<ReadRecord> {
    let stream = world.stream("a");
    let mut all = Vec::new();
    // A child has a higher index than its parents.
    for shard in stream.shards() {
        all.extend(
            world
                .read_all(&stream, shard.record.index, Start::TrimHorizon)
                .await,
        );
    }
    all
}

fn check_ring(stream: &Stream) {
    let mut open: Vec<_> = stream
        .shards()
        .iter()
        .filter(|s| s.record.closed.is_none())
        .map(|s| s.record.range)
        .collect();
    open.sort_unstable_by_key(|range| range.start);
    assert_eq!(
        (open[0].start, open[open.len() - 1].end),
        (HashKey(0), HashKey(u128::MAX))
    );
    assert!(
        open.windows(2)
            .all(|pair| pair[0].end.0 + 1 == pair[1].start.0)
    );
}

/// Each child owns what its parents gave up, begins after they ended, and each closed shard has children that own
/// all it had.
fn check_lineage(stream: &Stream) {
    for shard in stream.shards() {
        let record = &shard.record;
        for parent in [record.parent, record.adjacent_parent]
            .into_iter()
            .flatten()
        {
            let parent = &stream.shard(parent).unwrap().record;
            assert!(parent.closed.unwrap() < record.created);
            let (a, b) = (parent.range, record.range);
            assert!(a.start <= b.end && b.start <= a.end);
        }
        if record.closed.is_some() {
            let children: Vec<_> = stream
                .children(record.index)
                .map(|child| child.record.range)
                .collect();
            assert!(
                children
                    .iter()
                    .any(|range| range.contains(record.range.start))
            );
            assert!(
                children
                    .iter()
                    .any(|range| range.contains(record.range.end))
            );
            assert!((1..=2).contains(&children.len()));
        }
    }
}

#[derive(Debug, Clone)]
enum Action {
    Put(Vec<u8>),
    /// Through a handle from the beginning, as a slow client has it.
    PutStale(Vec<u8>),
    Split(prop::sample::Index, u128),
    Merge(prop::sample::Index),
    Scale(u32),
    Advance(u16),
    Reopen,
    /// The catalog dies after that many commits, and so does the process.
    Die(u8, u32),
}

fn action() -> impl Strategy<Value = Action> {
    let records = || proptest::collection::vec(0..128u8, 1..12);
    prop_oneof![
        6 => records().prop_map(Action::Put),
        2 => records().prop_map(Action::PutStale),
        3 => (any::<prop::sample::Index>(), any::<u128>()).prop_map(|(shard, at)| Action::Split(shard, at)),
        3 => any::<prop::sample::Index>().prop_map(Action::Merge),
        2 => (1..7u32).prop_map(Action::Scale),
        2 => (1..5000u16).prop_map(Action::Advance),
        1 => Just(Action::Reopen),
        1 => (0..2u8, 1..7u32).prop_map(|(commits, target)| Action::Die(commits, target)),
    ]
}

/// The acknowledged records, by key, in order.
type Model = BTreeMap<u8, Vec<u64>>;

struct Run {
    world: World,
    first: Arc<Stream>,
    model: Model,
    next: u64,
}

impl Run {
    async fn act(mut self, action: Action) -> Self {
        let stream = self.world.stream("a");
        let open: Vec<_> = stream
            .shards()
            .iter()
            .filter(|s| s.record.closed.is_none())
            .cloned()
            .collect();
        let streams = &self.world.streams;
        match action {
            Action::Put(records) => self.put(&stream, records).await,
            Action::PutStale(records) => self.put(&self.first.clone(), records).await,
            Action::Split(which, at) => {
                let record = &open[which.index(open.len())].record;
                let allowed =
                    at > record.range.start.0.saturating_add(1) && at < record.range.end.0;
                let split = streams.split(name("a"), record.index, HashKey(at)).await;
                assert_eq!(split.is_ok(), allowed, "{split:?}");
            }
            Action::Merge(which) => {
                let mut ring = open.clone();
                ring.sort_unstable_by_key(|shard| shard.record.range.start);
                if ring.len() > 1 {
                    let at = which.index(ring.len() - 1);
                    let (one, two) = (ring[at].record.index, ring[at + 1].record.index);
                    assert!(matches!(
                        streams.merge(name("a"), two, one).await,
                        Err(Error::NotAdjacent { .. })
                    ));
                    streams.merge(name("a"), one, two).await.unwrap();
                }
            }
            Action::Scale(target) => {
                assert_eq!(
                    streams.scale(name("a"), target).await,
                    Ok(open.len() as u32)
                );
                assert_eq!(self.world.stream("a").open_shards(), target);
            }
            Action::Advance(ms) => self.world.advance(u64::from(ms)),
            Action::Reopen => self.world = self.world.reopen().await,
            Action::Die(commits, target) => {
                self.world.catalog.fail_after(u32::from(commits));
                let _died = streams.scale(name("a"), target).await;
                self.world.catalog.mend();
                self.world = self.world.crash().await;
            }
        }
        self
    }

    async fn put(&mut self, stream: &Stream, records: Vec<u8>) {
        // A key has one place on the ring.
        let place = |key: u8| HashKey(u128::from(key) << 120 | 7);
        let from = self.next;
        let entries = (from..)
            .zip(&records)
            .map(|(n, key)| headwater_streams::PutEntry {
                partition_key: vec![*key].into(),
                hash_key: Some(place(*key)),
                data: n.to_be_bytes().to_vec().into(),
            })
            .collect();
        for ((n, key), placed) in (from..)
            .zip(&records)
            .zip(self.world.streams.put(stream, entries).await.unwrap())
        {
            placed.unwrap();
            self.model.entry(*key).or_default().push(n);
        }
        self.next = from + records.len() as u64;
    }

    async fn check(&self) {
        let stream = self.world.stream("a");
        check_ring(&stream);
        check_lineage(&stream);
        let mut read = Model::new();
        let mut sequences = BTreeMap::new();
        for record in read_lineage(&self.world).await {
            let key = record.partition_key[0];
            read.entry(key)
                .or_default()
                .push(u64::from_be_bytes(record.data[..].try_into().unwrap()));
            let before = sequences.insert(key, record.sequence);
            assert!(
                before.is_none_or(|before| before < record.sequence),
                "the numbers of a key grow"
            );
        }
        assert_eq!(read, self.model);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_lost_or_doubled_or_out_of_order(
        shards in 1..5u32,
        actions in proptest::collection::vec(action(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::simulated(NO_LIMITS).await;
            let first = world.create("a", shards).await;
            let mut run = Run { world, first, model: Model::new(), next: 0 };
            for action in actions {
                run = run.act(action).await;
            }
            run.check().await;
            let world = run.world.crash().await;
            let run = Run { world, ..run };
            run.check().await;
            run.world.log.close().await;
        });
    }
}
