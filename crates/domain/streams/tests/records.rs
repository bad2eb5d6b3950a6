//! Records in and out: order, positions and limits.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, Expect, Table};
use headwater_log::ShardLog;
use headwater_streams::{
    Error, ITERATOR_LIFE, MAX_PUT_BYTES, Options, PutError, ReadRecord, ShardRecord, Start, Stream,
    TokenError,
};
use headwater_types::{HashKey, Millis, ShardIndex, kept::Prefix};
use proptest::prelude::*;
use support::{NO_LIMITS, START, World, entry, entry_at};

const MIB: usize = 1 << 20;

#[tokio::test]
async fn one_call_reaches_every_shard_in_order() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 4).await;
    let entries = (0..500u32)
        .map(|n| entry(&n.to_string(), n.to_string()))
        .collect();
    let placed: Vec<_> = world
        .streams
        .put(&stream, entries)
        .await
        .unwrap()
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let mut next: BTreeMap<ShardIndex, u64> = BTreeMap::new();
    for put in &placed {
        let expected = next.entry(put.shard).or_default();
        assert_eq!(
            (put.offset, put.sequence.offset()),
            (*expected, Some(*expected))
        );
        *expected += 1;
    }
    assert_eq!(next.len(), 4);
    for shard in stream.shards() {
        let index = shard.record.index;
        let sent: Vec<_> = (0..500u32)
            .filter(|n| placed[*n as usize].shard == index)
            .collect();
        let read = world.read_all(&stream, index, Start::TrimHorizon).await;
        let got: Vec<u32> = read
            .iter()
            .map(|r| std::str::from_utf8(&r.data).unwrap().parse().unwrap())
            .collect();
        assert_eq!(got, sent);
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused_whole() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    let put = async |sizes: &[usize]| {
        let entries = sizes
            .iter()
            .map(|size| entry("k", vec![7; *size]))
            .collect();
        world
            .streams
            .put(&stream, entries)
            .await
            .map(|results| results.len())
    };
    assert_eq!(put(&[MIB - 1, 0]).await, Ok(2));
    let too_large = Error::RecordTooLarge {
        index: 1,
        bytes: MIB + 1,
        limit: MIB as u32,
    };
    assert_eq!(put(&[5, MIB]).await, Err(too_large));
    assert_eq!(put(&[MIB - 1; 10]).await, Ok(10));
    assert_eq!(
        put(&[MIB - 1; 11]).await,
        Err(Error::PutTooLarge(MAX_PUT_BYTES + MIB))
    );
    assert_eq!(
        world
            .read_all(&stream, ShardIndex(0), Start::TrimHorizon)
            .await
            .len(),
        12
    );
}

#[tokio::test]
async fn limits_are_kept_by_each_entry() {
    let world = World::new(Options::default()).await;
    let stream = world.create("a", 2).await;
    let ends = [HashKey(0), HashKey(u128::MAX)];
    let entries = || {
        (0..2400)
            .map(|n| entry_at(ends[usize::from(n >= 1200)], "x"))
            .collect()
    };
    let results = world.streams.put(&stream, entries()).await.unwrap();
    let refused: Vec<_> = results
        .iter()
        .filter_map(|result| result.clone().err())
        .collect();
    assert_eq!(refused.len(), 400);
    assert!(
        refused
            .iter()
            .all(|error| matches!(error, PutError::Throttled(_)))
    );
    assert!(
        results[..1000].iter().all(Result::is_ok),
        "the first of each shard are taken"
    );
    world.advance(1000);
    let results = world.streams.put(&stream, entries()).await.unwrap();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2000);
}

#[tokio::test]
async fn a_shard_is_read_five_times_a_second() {
    let world = World::new(Options::default()).await;
    let stream = world.create("a", 1).await;
    let shard = &stream.shards()[0];
    for _ in 0..5 {
        world.streams.read(&stream, shard, 0, 10).await.unwrap();
    }
    let over = world.streams.read(&stream, shard, 0, 10).await;
    assert_eq!(
        over,
        Err(Error::Throttled {
            stream: stream.record.name.clone(),
            shard: ShardIndex(0)
        })
    );
    world.advance(200);
    world.streams.read(&stream, shard, 0, 10).await.unwrap();
}

#[tokio::test]
async fn a_read_tells_how_far_behind_it_is() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    let shard = &stream.shards()[0];
    for n in 0..3 {
        world.put(&stream, entry("k", vec![n])).await;
        world.advance(1000);
    }
    let behind = async |from, limit| {
        world
            .streams
            .read(&stream, shard, from, limit)
            .await
            .unwrap()
            .millis_behind
    };
    assert_eq!(behind(0, 1).await, 3000);
    assert_eq!(behind(1, 1).await, 2000);
    assert_eq!(behind(0, 3).await, 0);
    assert_eq!(behind(3, 3).await, 0);
}

#[tokio::test]
async fn an_iterator_is_good_for_five_minutes_and_across_a_restart() {
    let mut world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    let latest = world
        .streams
        .iterator(&stream, &stream.shards()[0], Start::Latest)
        .await
        .unwrap();
    let again = world
        .streams
        .iterator(&stream, &stream.shards()[0], Start::Latest)
        .await
        .unwrap();
    assert_ne!(latest, again, "no two tokens are the same");
    world.put(&stream, entry("k", "x")).await;
    world = world.reopen().await;
    world.clock.advance(ITERATOR_LIFE);
    assert_eq!(world.streams.open_iterator(&latest).unwrap().offset, 0);
    world.advance(1);
    let expired = world.streams.open_iterator(&latest).unwrap_err();
    let now = Millis(START.0 + 300_001);
    assert_eq!(
        expired,
        Error::Token(TokenError::Expired {
            issued: START,
            now,
            life: ITERATOR_LIFE
        })
    );
}

#[tokio::test]
async fn a_shard_ends_once_it_is_sealed_and_its_closing_is_known() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.put(&stream, entry("k", "x")).await;
    world.put(&stream, entry("k", "y")).await;
    world.log.seal(stream.shards()[0].number).await.unwrap();
    let refused = world
        .streams
        .put(&stream, vec![entry("k", "z")])
        .await
        .unwrap()
        .remove(0);
    assert_eq!(refused, Err(PutError::Closed(ShardIndex(0))));
    let read = async |world: &World, from, limit| {
        let stream = world.stream("a");
        let read = world
            .streams
            .read(&stream, &stream.shards()[0], from, limit)
            .await
            .unwrap();
        (read.records.len(), read.next, read.ended)
    };
    assert_eq!(read(&world, 1, 10).await, (1, 2, false));
    let mut record = stream.record.clone();
    record.shards[0].closed = Some(START);
    record.shards.push(ShardRecord {
        index: ShardIndex(1),
        parent: Some(ShardIndex(0)),
        ..stream.record.shards[0].clone()
    });
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    Table::new(catalog, Prefix::Streams)
        .write("a", &record, Expect::Any)
        .await
        .unwrap();
    let world = world.reopen().await;
    assert_eq!(read(&world, 0, 1).await, (1, 1, false));
    assert_eq!(read(&world, 1, 10).await, (1, 2, true));
    assert_eq!(read(&world, 2, 10).await, (0, 2, true));
    let stream = world.stream("a");
    world.streams.wait(&stream.shards()[0], 2).await;
    assert_eq!(
        world.put(&stream, entry("k", "z")).await.shard,
        ShardIndex(1)
    );
}

#[derive(Debug, Clone)]
enum Action {
    Put(Vec<(u8, Option<u128>, u16)>),
    Advance(u16),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let record = (any::<u8>(), proptest::option::of(any::<u128>()), 0..2000u16);
    prop_oneof![
        5 => proptest::collection::vec(record, 1..20).prop_map(Action::Put),
        3 => (1..5000u16).prop_map(Action::Advance),
        1 => Just(Action::Reopen),
    ]
}

type Model = BTreeMap<ShardIndex, Vec<ReadRecord>>;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_reader_sees_what_was_put(
        shards in 1..6u32,
        actions in proptest::collection::vec(action(), 1..15),
        pick in any::<prop::sample::Index>(),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new(NO_LIMITS).await;
            world.create("a", shards).await;
            let mut model = Model::new();
            for action in actions {
                world = act(world, &mut model, action).await;
            }
            let stream = world.stream("a");
            for shard in stream.shards() {
                let index = shard.record.index;
                check(&world, &stream, index, model.get(&index).map_or(&[][..], |r| r), pick).await;
            }
            world.log.close().await;
        });
    }

    #[test]
    fn arbitrary_tokens_are_refused(text in "\\PC{0,600}") {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let world = World::new(NO_LIMITS).await;
            assert_eq!(world.streams.open_iterator(&text), Err(Error::Token(TokenError::Invalid)));
            assert!(matches!(world.streams.next_shards(&text, 1), Err(Error::Token(TokenError::Invalid))));
            assert!(matches!(world.streams.next_streams(&text, 1), Err(Error::Token(TokenError::Invalid))));
        });
    }
}

async fn act(world: World, model: &mut Model, action: Action) -> World {
    match action {
        Action::Advance(ms) => world.advance(u64::from(ms)),
        Action::Reopen => return world.reopen().await,
        Action::Put(records) => {
            let stream = world.stream("a");
            let entries: Vec<_> = records
                .iter()
                .map(|(key, hash, size)| headwater_streams::PutEntry {
                    hash_key: hash.map(HashKey),
                    ..entry(&key.to_string(), vec![*key; usize::from(*size)])
                })
                .collect();
            let results = world.streams.put(&stream, entries.clone()).await.unwrap();
            for (entry, placed) in entries.into_iter().zip(results) {
                let placed = placed.unwrap();
                if let Some(key) = entry.hash_key {
                    assert!(
                        stream
                            .shard(placed.shard)
                            .unwrap()
                            .record
                            .range
                            .contains(key)
                    );
                }
                model.entry(placed.shard).or_default().push(ReadRecord {
                    offset: placed.offset,
                    sequence: placed.sequence,
                    time: placed.time,
                    partition_key: entry.partition_key,
                    data: entry.data,
                    encrypted: false,
                });
            }
        }
    }
    world
}

/// Reads one shard from every kind of start.
async fn check(
    world: &World,
    stream: &Stream,
    shard: ShardIndex,
    model: &[ReadRecord],
    pick: prop::sample::Index,
) {
    assert_eq!(
        world.read_all(stream, shard, Start::TrimHorizon).await,
        model
    );
    assert_eq!(world.read_all(stream, shard, Start::Latest).await, []);
    assert!(
        model
            .windows(2)
            .all(|pair| pair[0].sequence < pair[1].sequence && pair[0].time <= pair[1].time)
    );
    if model.is_empty() {
        return;
    }
    let nth = pick.index(model.len());
    let offset = model[nth].sequence.offset().unwrap();
    assert_eq!(
        world.read_all(stream, shard, Start::Offset(offset)).await,
        model[nth..]
    );
    assert_eq!(
        world
            .read_all(stream, shard, Start::Offset(offset + 1))
            .await,
        model[nth + 1..]
    );
    for time in [model[nth].time, Millis(model[nth].time.0 + 1)] {
        let first = model.partition_point(|record| record.time < time);
        assert_eq!(
            world.read_all(stream, shard, Start::Time(time)).await,
            model[first..]
        );
    }
}
