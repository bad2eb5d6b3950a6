//! Records put together with a record of another shard of the log.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use headwater_log::{
    ShardLog, ShardNumber,
    testing::{FOREVER, read_all},
};
use headwater_streams::{Beside, Error, Options, PutEntry, Start};
use headwater_types::{HashKey, HashRange, ShardIndex, kept::ShardSpace};
use support::{NO_LIMITS, World, entry, entry_at, name};

/// A shard of the log that belongs to no stream.
const NOTES: ShardNumber = ShardNumber::new(ShardSpace::Tables, 1);

async fn world(options: Options, shards: u32) -> World {
    let world = World::simulated(options).await;
    world.create("s", shards).await;
    world.log.open_shards(&[NOTES], FOREVER).await.unwrap();
    world
}

/// Puts entries, with a note that says how many.
async fn put(world: &World, entries: &[PutEntry]) -> Result<usize, Error> {
    let beside = |count: usize| Beside {
        shard: NOTES,
        value: count.to_string().into(),
    };
    world.streams.put_beside(&name("s"), entries, beside).await
}

async fn notes(world: &World) -> Vec<String> {
    let text = |value: &[u8]| String::from_utf8(value.to_vec()).unwrap();
    let notes = read_all(&*world.log, NOTES, 0).await.unwrap();
    notes.iter().map(|note| text(&note.value)).collect()
}

/// The data of all records of a shard.
async fn data(world: &World, shard: u32) -> Vec<String> {
    let stream = world.stream("s");
    let records = world.read_all(&stream, ShardIndex(shard), Start::TrimHorizon);
    let text = |data: &[u8]| String::from_utf8(data.to_vec()).unwrap();
    records.await.iter().map(|read| text(&read.data)).collect()
}

fn ends() -> [HashKey; 2] {
    let ring = HashRange::split_evenly(1)[0];
    [ring.start, ring.end]
}

#[tokio::test]
async fn records_and_the_note_are_there_together() {
    let mut world = world(NO_LIMITS, 2).await;
    let [low, high] = ends();
    let entries = [entry_at(high, "a"), entry_at(low, "b"), entry_at(high, "c")];
    assert_eq!(put(&world, &entries).await, Ok(3));
    assert_eq!(put(&world, &[]).await, Ok(0));
    world = world.crash().await;
    world.log.open_shards(&[NOTES], FOREVER).await.unwrap();
    assert_eq!(data(&world, 0).await, ["b"]);
    assert_eq!(data(&world, 1).await, ["a", "c"]);
    assert_eq!(notes(&world).await, ["3", "0"]);
    let counted = world.stream("s").metrics();
    assert_eq!(counted.incoming_records, 0, "counted by the process before");
}

#[tokio::test]
async fn what_is_put_is_a_beginning_where_a_shard_takes_no_more() {
    let world = world(Options::default(), 2).await;
    let [low, high] = ends();
    let large = "x".repeat(700_000);
    let entries = [
        entry_at(high, large.clone()),
        entry_at(low, "a"),
        entry_at(high, large),
        entry_at(low, "b"),
    ];
    assert_eq!(put(&world, &entries).await, Ok(2));
    assert_eq!(put(&world, &entries[2..]).await, Ok(0));
    assert_eq!(
        (data(&world, 0).await, notes(&world).await),
        (vec!["a".into()], vec!["2".into()])
    );
    world.advance(1000);
    assert_eq!(put(&world, &entries[2..]).await, Ok(2));
    assert_eq!(data(&world, 0).await, ["a", "b"]);
    assert_eq!(world.stream("s").metrics().incoming_records, 4);
}

#[tokio::test]
async fn a_shard_that_was_split_is_followed_by_its_children() {
    let world = world(NO_LIMITS, 1).await;
    assert_eq!(put(&world, &[entry("k", "a")]).await, Ok(1));
    let middle = HashRange::split_evenly(2)[1].start;
    let streams = &world.streams;
    // The log has the seal before the streams know the children.
    let sealed = world.stream("s").shard(ShardIndex(0)).unwrap().number;
    world.log.seal(sealed).await.unwrap();
    let (split, put_there) = tokio::join!(
        streams.split(name("s"), ShardIndex(0), middle),
        put_until_taken(&world)
    );
    split.unwrap();
    assert_eq!(put_there, 2);
    assert_eq!(data(&world, 0).await, ["a"]);
    assert_eq!(
        [data(&world, 1).await, data(&world, 2).await].concat(),
        ["b", "c"]
    );
    assert_eq!(notes(&world).await, ["1", "2"]);
}

/// Puts one record on either side of the ring, again until they are taken.
async fn put_until_taken(world: &World) -> usize {
    let [low, high] = ends();
    let entries = [entry_at(low, "b"), entry_at(high, "c")];
    loop {
        match put(world, &entries).await {
            Err(Error::Conflict(_)) => tokio::task::yield_now().await,
            done => return done.unwrap(),
        }
    }
}

#[tokio::test]
async fn nothing_is_put_where_something_speaks_against_it() {
    let world = world(NO_LIMITS, 1).await;
    let large = put(&world, &[entry("k", "a"), entry("k", vec![0_u8; 2 << 20])]).await;
    assert!(matches!(large, Err(Error::RecordTooLarge { index: 1, .. })));
    world.log.fail();
    let failed = put(&world, &[entry("k", "a")]).await;
    assert!(matches!(failed, Err(Error::Log(_))));
    world.log.mend();
    assert_eq!(
        (data(&world, 0).await, notes(&world).await),
        (vec![], vec![])
    );
    let gone = world.streams.delete(name("s"), false, support::alone());
    gone.await.unwrap();
    assert_eq!(put(&world, &[]).await, Err(Error::NoStream(name("s"))));
}

#[tokio::test]
async fn records_are_encrypted_where_the_stream_has_them_so() {
    let world = world(NO_LIMITS, 1).await;
    let started = world.streams.start_encryption(name("s"), "key".into());
    started.await.unwrap();
    assert_eq!(put(&world, &[entry("k", "secret")]).await, Ok(1));
    assert_eq!(data(&world, 0).await, ["secret"]);
    let stream = world.stream("s");
    let shard = stream.shard(ShardIndex(0)).unwrap().number;
    let stored = read_all(&*world.log, shard, 0).await.unwrap();
    assert!(!stored[0].value.windows(6).any(|bytes| bytes == b"secret"));
}
