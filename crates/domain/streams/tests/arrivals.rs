//! What arrived in each minute, through crashes and reshardings: it is what the records themselves say.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::collections::BTreeMap;

use headwater_streams::{Arrived, Start};
use headwater_types::{HashKey, ShardIndex};
use support::{NO_LIMITS, START, World, entry, entry_at, name};

/// Records and bytes by stream, shard and minute.
type Sums = BTreeMap<(String, ShardIndex, u64), (u64, u64)>;

const FIRST: u64 = START.0 / 60_000;

fn sums(arrived: &Arrived) -> (u64, u64) {
    (arrived.records.sum, arrived.bytes.sum)
}

/// What the streams tell of the minutes that there were so far.
async fn told(world: &World) -> Sums {
    world.streams.settle_log().await;
    let last = world.streams.now().minute();
    let mut told = Sums::new();
    for stream in world.streams.after(None, usize::MAX) {
        for minute in FIRST..=last {
            for (shard, arrived) in world.streams.arrived(&stream, minute).await {
                let key = (stream.record.name.to_string(), shard, minute);
                told.insert(key, sums(&arrived));
            }
        }
    }
    told
}

/// What the records say.
async fn records(world: &World) -> Sums {
    let mut sums = Sums::new();
    for stream in world.streams.after(None, usize::MAX) {
        for shard in stream.shards() {
            let index = shard.record.index;
            for record in world.read_all(&stream, index, Start::TrimHorizon).await {
                let key = (stream.record.name.to_string(), index, record.time.minute());
                let (count, bytes) = sums.entry(key).or_default();
                *count += 1;
                *bytes += record.bytes() as u64;
            }
        }
    }
    sums
}

/// Puts some records into the streams that there are, over some minutes.
async fn put_some(world: &World, round: u64) {
    for n in 0..40_u64 {
        let stream = world.stream(if n % 3 == 0 { "b" } else { "a" });
        let entries: Vec<_> = (0..=n % 4)
            .map(|i| {
                entry(
                    &format!("k{}", n * 7 + i),
                    vec![0; (round + n) as usize % 50],
                )
            })
            .collect();
        for put in world.streams.put(&stream, entries).await.unwrap() {
            put.unwrap();
        }
        world.advance(3_700);
    }
}

#[tokio::test]
async fn every_minute_is_what_its_records_say_through_crashes_and_reshardings() {
    let mut world = World::simulated(NO_LIMITS).await;
    world.create("a", 2).await;
    world.create("b", 1).await;
    world
        .streams
        .start_encryption(name("b"), "k".into())
        .await
        .unwrap();
    for round in 0..4 {
        put_some(&world, round).await;
        let told = told(&world).await;
        assert_eq!(told, records(&world).await, "round {round}");
        assert!(told.len() > 4, "{told:?}");
        let (parent, at) = (ShardIndex(round as u32), HashKey(1 << (120 - round)));
        if world.streams.split(name("a"), parent, at).await.is_err() {
            let merged = world.streams.merge(name("a"), ShardIndex(1), ShardIndex(3));
            drop(merged.await);
        }
        put_some(&world, round).await;
        world = world.crash().await;
    }
    let all = records(&world).await;
    assert_eq!(told(&world).await, all);
    let puts = all.values().map(|(records, _)| records).sum::<u64>();
    assert_eq!(puts, 4 * 2 * 10 * (1 + 2 + 3 + 4));
}

/// A put whose caller goes away is durable, and counted all the same.
#[tokio::test]
async fn what_nobody_waited_for_is_there() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.put(&stream, entry("k", "one")).await;
    {
        let mut put = std::pin::pin!(world.streams.put(&stream, vec![entry("k", "three")]));
        assert!(futures_util::poll!(put.as_mut()).is_pending());
    }
    world.advance(60_000);
    world.put(&stream, entry("k", "later")).await;
    let told = told(&world).await;
    assert_eq!(told, records(&world).await);
    let first = ("a".to_owned(), ShardIndex(0), FIRST);
    assert_eq!(told[&first], (2, 10));
}

#[tokio::test]
async fn a_value_is_a_call_or_what_has_one_time_where_it_is_read_again() {
    let world = World::simulated(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    let entries = vec![entry("k", "x"), entry("k", "yy")];
    world.streams.put(&stream, entries.clone()).await.unwrap();
    world.advance(1);
    world.streams.put(&stream, entries).await.unwrap();
    world.put(&stream, entry_at(HashKey(0), "zzz")).await;
    let of = async |world: &World| {
        let arrived = world.streams.arrived(&world.stream("a"), FIRST).await;
        let (_, Arrived { records, .. }) = arrived[0];
        (records.count, records.sum, records.least, records.most)
    };
    assert_eq!(of(&world).await, (3, 5, 1, 2));
    let world = world.crash().await;
    assert_eq!(of(&world).await, (2, 5, 2, 3));
}

#[tokio::test]
async fn the_next_minute_with_records_is_found_over_a_long_silence() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    assert_eq!(world.streams.next_arrival(FIRST).await, None);
    world.put(&stream, entry("k", "x")).await;
    world.advance(90 * 60_000);
    world.put(&stream, entry("k", "x")).await;
    assert_eq!(world.streams.next_arrival(FIRST).await, Some(FIRST));
    assert_eq!(
        world.streams.next_arrival(FIRST + 1).await,
        Some(FIRST + 90)
    );
    assert_eq!(world.streams.next_arrival(FIRST + 91).await, None);
}

/// Records that have expired when they are asked for are as they were counted.
#[tokio::test]
async fn a_jump_over_the_retention_loses_no_count() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world.put(&stream, entry("k", "x")).await;
    world.advance(25 * 3_600_000);
    world.put(&stream, entry("k", "yy")).await;
    let told = told_in(&world, FIRST).await;
    assert_eq!(told, [(1, 2)]);
    assert_eq!(told_in(&world, FIRST + 25 * 60).await, [(1, 3)]);
}

async fn told_in(world: &World, minute: u64) -> Vec<(u64, u64)> {
    let arrived = world.streams.arrived(&world.stream("a"), minute).await;
    arrived.iter().map(|(_, arrived)| sums(arrived)).collect()
}
