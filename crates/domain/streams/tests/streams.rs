//! Which streams there are, and what becomes of them.

mod support;

use std::sync::Arc;

use headwater_log::{Append, LogError, NewRecord, Retention, ShardLog, ShardNumber};
use headwater_streams::{
    Error, NewStream, NoOtherReaders, Options, PutError, ShardFilter, ShardMetrics, Start, Tags,
    TokenError,
};
use headwater_types::{HashKey, Millis, ShardIndex};
use support::{NO_LIMITS, START, World, alone, entry, entry_at, name};

const HOUR: u64 = 3_600_000;

#[tokio::test]
async fn a_stream_is_there_once_and_survives_a_restart() {
    let mut world = World::new(NO_LIMITS).await;
    let made = world.create("a", 4).await;
    let again = world
        .streams
        .create(NewStream::new(name("a"), 1))
        .await
        .err();
    assert_eq!(again, Some(Error::StreamExists(name("a"))));
    world.put(&made, entry("k", "one")).await;
    world = world.reopen().await;
    let stream = world.stream("a");
    assert_eq!(stream.record, made.record);
    assert_eq!((stream.record.created, stream.open_shards()), (START, 4));
    let shard = world.put(&stream, entry("k", "two")).await.shard;
    let read = world.read_all(&stream, shard, Start::TrimHorizon).await;
    assert_eq!(
        read.iter().map(|r| &r.data[..]).collect::<Vec<_>>(),
        [b"one", b"two"]
    );
}

#[tokio::test]
async fn a_deleted_stream_leaves_nothing_to_its_successor() {
    let mut world = World::new(NO_LIMITS).await;
    let old = world.create("a", 1).await;
    world.put(&old, entry("k", "old")).await;
    let token = world
        .streams
        .iterator(&old, &old.shards()[0], Start::TrimHorizon)
        .await
        .unwrap();
    world
        .streams
        .delete(name("a"), false, alone())
        .await
        .unwrap();
    assert_eq!(
        world.streams.delete(name("a"), false, alone()).await,
        Err(Error::NoStream(name("a")))
    );
    let result = world
        .streams
        .put(&old, vec![entry("k", "late")])
        .await
        .unwrap()
        .remove(0);
    assert!(result.is_err(), "a put that was under way does not succeed");
    let new = world.create("a", 1).await;
    assert_ne!(old.record.number, new.record.number);
    assert_eq!(
        world
            .read_all(&new, ShardIndex(0), Start::TrimHorizon)
            .await,
        []
    );
    let iterator = world.streams.open_iterator(&token).unwrap();
    let gone = Error::NoShard {
        stream: name("a"),
        shard: ShardIndex(0),
    };
    assert_eq!(world.streams.stream_of(&iterator).err(), Some(gone));
    world = world.reopen().await;
    let new = world.stream("a");
    assert_eq!(
        world
            .read_all(&new, ShardIndex(0), Start::TrimHorizon)
            .await,
        []
    );
}

#[tokio::test]
async fn shards_without_a_stream_are_forgotten_at_the_start_and_those_of_others_are_not() {
    let mut world = World::new(NO_LIMITS).await;
    let kept = world.create("a", 1).await.shards()[0].number;
    let (orphan, other) = (
        ShardNumber(0x01 << 56 | 99 << 32),
        ShardNumber(0x02 << 56 | 99 << 32),
    );
    let retention = Retention {
        period: std::time::Duration::from_secs(3600),
        floor: Millis::ZERO,
    };
    let opened = world.log.open_shards(&[orphan, other], retention).await;
    assert_eq!(opened, Ok(()));
    let append = |shard| Append {
        shard,
        records: &[NewRecord {
            key: b"k",
            value: b"v",
        }],
    };
    let appended = world.log.append(&[append(orphan), append(other)]).await;
    assert!(appended.iter().all(Result::is_ok));
    world = world.reopen().await;
    let shards = world.log.shards().await.unwrap();
    assert!(
        shards.contains(&kept) && shards.contains(&other) && !shards.contains(&orphan),
        "{shards:?}"
    );
}

#[tokio::test]
async fn shards_are_counted_against_the_quota() {
    let world = World::new(Options {
        shard_quota: 10,
        ..Options::default()
    })
    .await;
    world.create("a", 6).await;
    let refused = world
        .streams
        .create(NewStream::new(name("b"), 5))
        .await
        .err();
    assert_eq!(
        refused,
        Some(Error::ShardQuota {
            open: 6,
            quota: 10,
            asked: 5
        })
    );
    assert!(
        world
            .streams
            .create(NewStream::new(name("b"), u32::MAX))
            .await
            .is_err()
    );
    world.create("b", 4).await;
    world
        .streams
        .delete(name("a"), false, alone())
        .await
        .unwrap();
    assert_eq!(world.streams.open_shards(), 4);
    world.create("c", 6).await;
}

#[tokio::test]
async fn two_streams_of_one_name_are_never_made_at_once() {
    let world = World::new(NO_LIMITS).await;
    let create = || world.streams.create(NewStream::new(name("a"), 1));
    let (a, b, c) = tokio::join!(create(), create(), create());
    assert_eq!(
        [a.is_ok(), b.is_ok(), c.is_ok()]
            .iter()
            .filter(|made| **made)
            .count(),
        1
    );
}

#[tokio::test]
async fn tags_are_kept_replaced_and_removed() {
    let mut world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let tags = |pairs: &[(&str, &str)]| -> Tags {
        pairs
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()))
            .collect()
    };
    world
        .streams
        .tag(name("a"), tags(&[("x", "1"), ("y", "2")]))
        .await
        .unwrap();
    world
        .streams
        .tag(name("a"), tags(&[("x", "3")]))
        .await
        .unwrap();
    world
        .streams
        .untag(name("a"), vec!["y".into(), "z".into()])
        .await
        .unwrap();
    world = world.reopen().await;
    assert_eq!(world.stream("a").record.tags, tags(&[("x", "3")]));
    let many: Tags = (0..50).map(|n| (n.to_string(), String::new())).collect();
    assert_eq!(
        world.streams.tag(name("a"), many).await,
        Err(Error::TooManyTags(name("a")))
    );
    assert_eq!(world.stream("a").record.tags, tags(&[("x", "3")]));
}

#[tokio::test]
async fn what_is_trimmed_stays_trimmed() {
    let mut world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    world
        .streams
        .increase_retention(name("a"), 48)
        .await
        .unwrap();
    world.put(&stream, entry("k", "old")).await;
    world.advance(30 * HOUR);
    world.put(&stream, entry("k", "new")).await;
    let readable = async |world: &World| {
        world
            .read_all(&world.stream("a"), ShardIndex(0), Start::TrimHorizon)
            .await
            .len()
    };
    assert_eq!(readable(&world).await, 2);
    world
        .streams
        .decrease_retention(name("a"), 24)
        .await
        .unwrap();
    assert_eq!(readable(&world).await, 1);
    world
        .streams
        .increase_retention(name("a"), 8760)
        .await
        .unwrap();
    assert_eq!(readable(&world).await, 1);
    world = world.reopen().await;
    assert_eq!(readable(&world).await, 1);
    assert_eq!(world.stream("a").record.retention_hours, 8760);
}

#[tokio::test]
async fn retention_has_its_bounds_and_directions() {
    let world = World::new(NO_LIMITS).await;
    world.create("a", 1).await;
    let (stream, hours) = (name("a"), 24);
    assert_eq!(
        world.streams.increase_retention(name("a"), 23).await,
        Err(Error::RetentionTooShort(23))
    );
    assert_eq!(
        world.streams.increase_retention(name("a"), 8761).await,
        Err(Error::RetentionTooLong(8761))
    );
    let longer = Error::NoDecrease {
        stream: stream.clone(),
        hours,
        asked: 25,
    };
    assert_eq!(
        world.streams.decrease_retention(name("a"), 25).await,
        Err(longer)
    );
    world
        .streams
        .increase_retention(name("a"), 24)
        .await
        .unwrap();
    world
        .streams
        .increase_retention(name("a"), 26)
        .await
        .unwrap();
    let shorter = Error::NoIncrease {
        stream,
        hours: 26,
        asked: 25,
    };
    assert_eq!(
        world.streams.increase_retention(name("a"), 25).await,
        Err(shorter)
    );
    world
        .streams
        .decrease_retention(name("a"), 25)
        .await
        .unwrap();
}

#[tokio::test]
async fn ten_thousand_shards_are_made_routed_and_paged() {
    let mut world = World::new(NO_LIMITS).await;
    let stream = world.create("big", 10_000).await;
    let last = world.put(&stream, entry_at(HashKey(u128::MAX), "x")).await;
    assert_eq!(last.shard, ShardIndex(9_999));
    world = world.reopen().await;
    let stream = world.stream("big");
    let mut page = world
        .streams
        .list_shards(&stream, None, ShardFilter::AtLatest, 4_000);
    let mut seen: Vec<u32> = Vec::new();
    loop {
        seen.extend(page.shards.iter().map(|shard| shard.record.index.0));
        let Some(token) = page.next else { break };
        page = world.streams.next_shards(&token, 4_000).unwrap().1;
    }
    assert_eq!(seen, (0..10_000).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_of_streams_follow_their_names_and_their_tokens_age() {
    let world = World::new(NO_LIMITS).await;
    for stream in ["c", "a", "b"] {
        world.create(stream, 1).await;
    }
    let page = world.streams.list_streams(None, 2);
    let names = |page: &headwater_streams::StreamPage| -> Vec<String> {
        page.streams
            .iter()
            .map(|stream| stream.record.name.to_string())
            .collect()
    };
    assert_eq!(names(&page), ["a", "b"]);
    let token = page.next.unwrap();
    let rest = world.streams.next_streams(&token, 2).unwrap();
    assert_eq!((names(&rest), rest.next), (vec!["c".to_owned()], None));
    assert!(matches!(
        world.streams.next_shards(&token, 2),
        Err(Error::Token(TokenError::Invalid))
    ));
    world.advance(300_001);
    assert!(matches!(
        world.streams.next_streams(&token, 2),
        Err(Error::Token(TokenError::Expired { .. }))
    ));
}

#[tokio::test]
async fn shards_count_what_goes_through_them() {
    let world = World::new(Options::default()).await;
    let stream = world.create("a", 1).await;
    let shard = &stream.shards()[0];
    let entries = (0..1001).map(|_| entry("k", "xy")).collect();
    world.streams.put(&stream, entries).await.unwrap();
    world.advance(250);
    for _ in 0..6 {
        let _over_at_the_sixth = world.streams.read(&stream, shard, 0, 10).await;
    }
    let counted = ShardMetrics {
        incoming_bytes: 3000,
        incoming_records: 1000,
        outgoing_bytes: 150,
        outgoing_records: 50,
        write_exceeded: 1,
        read_exceeded: 1,
        iterator_age: 250,
    };
    assert_eq!(shard.metrics(), counted);
    world.streams.scale(name("a"), 2).await.unwrap();
    assert_eq!(
        world.stream("a").shards()[0].metrics(),
        counted,
        "a closed shard keeps its counts"
    );
}

#[tokio::test]
async fn a_closed_shard_that_was_read_to_its_end_has_no_age() {
    let world = World::new(NO_LIMITS).await;
    let stream = world.create("a", 1).await;
    for _ in 0..2 {
        world.put(&stream, entry("k", "x")).await;
    }
    world.streams.scale(name("a"), 2).await.unwrap();
    world.advance(250);
    let stream = world.stream("a");
    let shard = &stream.shards()[0];
    let mut ages = Vec::new();
    for limit in [1, 2] {
        let read = world.streams.read(&stream, shard, 0, limit).await.unwrap();
        ages.push((read.ended, shard.metrics().iterator_age));
    }
    assert_eq!(ages, [(false, 250), (true, 0)]);
    assert_eq!(shard.metrics().outgoing_records, 3);
}

#[tokio::test]
async fn what_the_log_could_not_be_told_it_is_told_later() {
    let mut world = World::new(NO_LIMITS).await;
    world.log.fail();
    let created = world.streams.create(NewStream::new(name("a"), 2)).await;
    assert!(matches!(
        created.err(),
        Some(Error::Log(LogError::Unreachable(_)))
    ));
    // The stream is in the catalog, so it is there: and a put has the log learn of its shards.
    let stream = world.stream("a");
    let refused = world.streams.put(&stream, vec![entry("k", "v")]).await;
    assert!(matches!(refused.unwrap()[0], Err(PutError::Log(_))));
    world.log.mend();
    world.put(&stream, entry("k", "v")).await;

    world.log.fail();
    let lengthened = || world.streams.increase_retention(name("a"), 48);
    assert!(lengthened().await.is_err());
    world.log.mend();
    lengthened().await.unwrap();
    world.advance(30 * 3_600_000);
    let placed = world.put(&stream, entry("k", "later")).await;
    let records = world.read_all(&stream, placed.shard, Start::TrimHorizon);
    assert_eq!(records.await.len(), 2, "kept for more than a day");

    world.log.fail();
    let others = Arc::new(NoOtherReaders);
    let deleted = world.streams.delete(name("a"), false, others).await;
    deleted.unwrap();
    world.log.mend();
    assert_eq!(world.log.shards().await.unwrap().len(), 2);
    world = world.reopen().await;
    assert_eq!(world.log.shards().await, Ok(Vec::new()));
}
