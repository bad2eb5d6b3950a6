//! Streams whose shards follow their load.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use headwater_streams::{Commitment, Error, NewStream, Options};
use headwater_types::HashKey;
use support::{NO_LIMITS, World, alone, entry_at, name};

const HOUR: u64 = 3_600_000;

async fn on_demand(world: &World) {
    world
        .streams
        .create(NewStream::on_demand(name("a"), None))
        .await
        .unwrap();
    world.streams.scale_on_demand().await;
}

/// Puts that many records a second for a minute, and lets the streams follow.
async fn minute(world: &World, records: usize) {
    world.advance(60_000);
    let stream = world.stream("a");
    for _ in 0..60 {
        let entries = (0..records)
            .map(|n| entry_at(HashKey((n as u128) << 112), "x"))
            .collect();
        for put in world.streams.put(&stream, entries).await.unwrap() {
            put.unwrap();
        }
    }
    world.streams.scale_on_demand().await;
}

#[tokio::test]
async fn shards_follow_the_load_up_at_once_and_down_after_thirty_days() {
    let mut world = World::new(NO_LIMITS).await;
    on_demand(&world).await;
    minute(&world, 1900).await;
    assert_eq!(world.stream("a").open_shards(), 4);
    minute(&world, 2500).await;
    assert_eq!(world.stream("a").open_shards(), 8);
    world = world.reopen().await;
    world.streams.scale_on_demand().await;
    assert_eq!(
        world.stream("a").open_shards(),
        8,
        "what was measured is kept"
    );
    world.advance(29 * 24 * HOUR);
    minute(&world, 10).await;
    assert_eq!(world.stream("a").open_shards(), 8);
    world.advance(24 * HOUR);
    minute(&world, 10).await;
    assert_eq!(world.stream("a").open_shards(), 4);
}

#[tokio::test]
async fn only_load_reshards_an_on_demand_stream() {
    let world = World::new(NO_LIMITS).await;
    on_demand(&world).await;
    let refused = Err(Error::OnDemand(name("a")));
    let first = world.stream("a").shards()[0].record.index;
    assert_eq!(
        world.streams.split(name("a"), first, HashKey(9)).await,
        refused
    );
    assert_eq!(world.streams.merge(name("a"), first, first).await, refused);
    assert_eq!(world.streams.scale(name("a"), 5).await.map(drop), refused);
}

#[tokio::test]
async fn a_stream_keeps_its_shards_when_it_changes_its_mode() {
    let world = World::new(Options::default()).await;
    world.create("a", 100).await;
    let to = async |on_demand| {
        world
            .streams
            .change_mode(name("a"), on_demand, None, alone())
            .await
    };
    to(true).await.unwrap();
    world.streams.scale_on_demand().await;
    assert_eq!(world.stream("a").open_shards(), 128);
    to(true).await.unwrap();
    to(false).await.unwrap();
    assert_eq!(to(true).await, Err(Error::ModeChangedTooOften(name("a"))));
    world.streams.scale_on_demand().await;
    assert_eq!(world.stream("a").open_shards(), 128);
    world.advance(24 * HOUR);
    to(true).await.unwrap();
    assert!(world.stream("a").record.mode.is_on_demand());
}

#[tokio::test]
async fn warm_throughput_is_there_before_the_load() {
    let world = World::new(NO_LIMITS).await;
    on_demand(&world).await;
    assert_eq!(
        world
            .streams
            .warm(name("a"), 30)
            .await
            .unwrap()
            .open_shards(),
        32
    );
    world.streams.scale_on_demand().await;
    assert_eq!(world.stream("a").open_shards(), 32);
    assert_eq!(
        world
            .streams
            .warm(name("a"), 0)
            .await
            .unwrap()
            .open_shards(),
        4
    );
    world.create("b", 1).await;
    assert_eq!(
        world.streams.warm(name("b"), 5).await.err(),
        Some(Error::NotOnDemand(name("b")))
    );
}

#[tokio::test]
async fn a_commitment_lasts_a_day_at_least() {
    let mut world = World::new(NO_LIMITS).await;
    let started = world.streams.now();
    assert_eq!(
        world.streams.commitment().await.unwrap(),
        Commitment::default()
    );
    let on = world.streams.commit_to_throughput(true).await.unwrap();
    let earliest = headwater_types::Millis(started.0 + 24 * HOUR);
    assert_eq!(
        (on.started, on.earliest_end(), on.is_on(started)),
        (Some(started), Some(earliest), true)
    );
    world.advance(HOUR);
    let ending = world.streams.commit_to_throughput(false).await.unwrap();
    assert_eq!(
        (ending.ends, ending.is_on(world.streams.now())),
        (Some(earliest), true)
    );
    assert_eq!(
        world.streams.commit_to_throughput(true).await.unwrap(),
        on,
        "an end can be taken back"
    );
    world.streams.commit_to_throughput(false).await.unwrap();
    world = world.reopen().await;
    world.advance(23 * HOUR);
    let over = world.streams.commitment().await.unwrap();
    assert!(!over.is_on(world.streams.now()) && over.ends == Some(earliest));
    world.advance(HOUR);
    assert_eq!(
        world
            .streams
            .commit_to_throughput(true)
            .await
            .unwrap()
            .started,
        Some(world.streams.now())
    );
}
