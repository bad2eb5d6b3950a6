//! Encryption at rest, and records that find their shards by themselves.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::collections::BTreeSet;

use headwater_log::{ShardLog, Source, SourceError, SourceLimit, Sources};
use headwater_streams::{Distribution, Error, NewStream, Start, StreamSources};
use headwater_types::{Arn, ShardIndex};
use support::{NO_LIMITS, World, alone, entry, name};

const LIMIT: SourceLimit = SourceLimit {
    records: 10,
    bytes: 1 << 20,
};

async fn source(world: &World) -> std::sync::Arc<dyn Source> {
    let arn: Arn = "arn:aws:kinesis:us-east-1:000000000000:stream/a"
        .parse()
        .unwrap();
    StreamSources(world.streams.clone())
        .open(&arn)
        .await
        .unwrap()
}

/// Whether any file of the log holds `text`.
fn log_holds(world: &World, text: &[u8]) -> bool {
    let files = std::fs::read_dir(world.dir())
        .unwrap()
        .map(|file| file.unwrap().path());
    #[expect(
        clippy::disallowed_methods,
        reason = "this looks at what is really on the disk"
    )]
    files
        .map(|file| std::fs::read(file).unwrap())
        .any(|bytes| bytes.windows(text.len()).any(|at| at == text))
}

#[tokio::test]
async fn encrypted_records_are_nowhere_in_the_log_and_every_reader_has_them() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    world
        .put(&world.stream("a"), entry("plain-key", "plain-data"))
        .await;
    world
        .streams
        .start_encryption(name("a"), "alias/a".into())
        .await
        .unwrap();
    let placed = world
        .put(&world.stream("a"), entry("secret-key", "secret-data"))
        .await;
    assert!(placed.encrypted);
    world.streams.stop_encryption(name("a")).await.unwrap();
    let placed = world
        .put(&world.stream("a"), entry("open-key", "open-data"))
        .await;
    assert!(!placed.encrypted);
    // A clean end writes out everything.
    let world = world.reopen().await;
    assert!(log_holds(&world, b"plain-data") && log_holds(&world, b"open-key"));
    assert!(!log_holds(&world, b"secret-data") && !log_holds(&world, b"secret-key"));
    let read = world
        .read_all(&world.stream("a"), ShardIndex(0), Start::TrimHorizon)
        .await;
    let told = |record: &headwater_streams::ReadRecord| {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (
            text(&record.partition_key),
            text(&record.data),
            record.encrypted,
        )
    };
    let expected = [("plain", false), ("secret", true), ("open", false)]
        .map(|(text, encrypted)| (format!("{text}-key"), format!("{text}-data"), encrypted));
    assert_eq!(read.iter().map(told).collect::<Vec<_>>(), expected);
    let chunk = source(&world)
        .await
        .read("shardId-000000000000", 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(
        (
            &chunk.records[0].partition_key[..],
            &chunk.records[0].data[..]
        ),
        (&b"secret-key"[..], &b"secret-data"[..])
    );
}

#[tokio::test]
async fn a_damaged_record_is_reported() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world
        .streams
        .start_encryption(name("a"), "alias/a".into())
        .await
        .unwrap();
    let placed = world.put(&world.stream("a"), entry("k", "secret")).await;
    let number = stream.shards()[0].number;
    let limit = headwater_log::ReadLimit {
        records: 1,
        bytes: 1,
    };
    let stored = world
        .log
        .read(number, placed.offset, limit)
        .await
        .unwrap()
        .records
        .remove(0);
    let mut value = stored.value.to_vec();
    *value.last_mut().unwrap() ^= 1;
    // The log's own checks hold for it: it was appended so.
    let records = &[headwater_log::NewRecord {
        key: &stored.key,
        value: &value,
    }];
    world
        .log
        .append(&[headwater_log::Append {
            shard: number,
            records,
        }])
        .await
        .remove(0)
        .unwrap();
    let read = async |from| {
        world
            .streams
            .read(&stream, &stream.shards()[0], from, 1)
            .await
    };
    assert_eq!(&read(0).await.unwrap().records[0].data[..], b"secret");
    let damaged = Error::Undecryptable {
        stream: name("a"),
        shard: ShardIndex(0),
        offset: 1,
    };
    assert_eq!(read(1).await.unwrap_err(), damaged);
    let refused = source(&world)
        .await
        .read("shardId-000000000000", 1, LIMIT)
        .await
        .unwrap_err();
    assert_eq!(refused, SourceError::Failed(damaged.to_string()));
}

#[tokio::test]
async fn encryption_changes_twenty_five_times_a_day() {
    let world = World::new(Default::default()).await;
    world.create("a", 1).await;
    let start = async |n: u32| {
        world
            .streams
            .start_encryption(name("a"), format!("alias/{n}"))
            .await
    };
    for n in 0..25 {
        start(n).await.unwrap();
        start(n).await.unwrap();
    }
    assert_eq!(
        start(25).await,
        Err(Error::EncryptionChangedTooOften(name("a")))
    );
    world.streams.stop_encryption(name("a")).await.unwrap();
    world.advance(24 * 3_600_000);
    start(25).await.unwrap();
    assert_eq!(
        world.stream("a").record.encryption.as_deref(),
        Some("alias/25")
    );
}

#[tokio::test]
async fn records_go_to_the_shards_in_their_turn() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 2).await;
    let distribute = async |to| world.streams.distribute(name("a"), to).await;
    let needs_on_demand = Err(Error::AutoNeedsOnDemand(name("a")));
    assert_eq!(distribute(Distribution::Auto).await, needs_on_demand);
    distribute(Distribution::PartitionKey).await.unwrap();
    let auto = NewStream {
        distribution: Distribution::Auto,
        ..NewStream::new(name("b"), 1)
    };
    assert!(matches!(
        world.streams.create(auto).await,
        Err(Error::AutoNeedsOnDemand(_))
    ));
    world
        .streams
        .change_mode(name("a"), true, None, alone())
        .await
        .unwrap();
    distribute(Distribution::Auto).await.unwrap();
    let world = world.reopen().await;
    let mut shards = Vec::new();
    for _ in 0..4 {
        shards.push(world.put(&world.stream("a"), entry("", "x")).await.shard.0);
    }
    assert_eq!((shards[0], shards[1]), (shards[2], shards[3]));
    assert_eq!(
        shards.into_iter().collect::<BTreeSet<_>>(),
        BTreeSet::from([0, 1])
    );
    assert_eq!(
        world
            .streams
            .change_mode(name("a"), false, None, alone())
            .await,
        needs_on_demand
    );
    world
        .streams
        .distribute(name("a"), Distribution::PartitionKey)
        .await
        .unwrap();
    let by_key = async || world.put(&world.stream("a"), entry("k", "x")).await.shard;
    assert_eq!(by_key().await, by_key().await);
}
