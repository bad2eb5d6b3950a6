//! Groups, streams and events over the embedded log: kept, found, paged, deleted, there again after a start.

#![allow(clippy::unwrap_used, missing_docs, reason = "this is test code")]

use std::{path::Path, sync::Arc};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Env, ManualClock};
use headwater_log::{EmbeddedLog, Options, ShardLog};
use headwater_loggroups::{
    Batch, Error, LogGroups, NewEvent, Pattern, Place, Search, StreamTimes, Streams, Times, limits,
};
use headwater_types::Millis;

const NOW: u64 = 1_514_851_200_000;

struct World {
    dir: tempfile::TempDir,
    env: Env,
    catalog: Arc<dyn Catalog>,
    log: Arc<dyn ShardLog>,
    groups: LogGroups,
}

async fn open(env: &Env, dir: &Path, catalog: &Arc<dyn Catalog>) -> (Arc<dyn ShardLog>, LogGroups) {
    let log: Arc<dyn ShardLog> = Arc::new(
        EmbeddedLog::open(env.clone(), Options::new(dir))
            .await
            .unwrap(),
    );
    let groups = LogGroups::open(env.clone(), catalog.clone(), log.clone())
        .await
        .unwrap();
    (log, groups)
}

impl World {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Millis(NOW)));
        let env = Env {
            clock,
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
        let (log, groups) = open(&env, dir.path(), &catalog).await;
        Self {
            dir,
            env,
            catalog,
            log,
            groups,
        }
    }

    async fn again(self) -> Self {
        self.groups.close().await.unwrap();
        drop(self.groups);
        self.log.close().await;
        drop(self.log);
        let (log, groups) = open(&self.env, self.dir.path(), &self.catalog).await;
        Self {
            log,
            groups,
            ..self
        }
    }

    async fn found(&self, search: Search) -> Vec<String> {
        let found = self.groups.search("g", &search).await.unwrap();
        assert_eq!(found.next, None);
        found.events.into_iter().map(|e| e.message).collect()
    }
}

fn events(range: std::ops::Range<u64>) -> Vec<NewEvent> {
    range
        .map(|i| NewEvent {
            time: Millis(NOW + i),
            message: format!("event {i}"),
        })
        .collect()
}

fn all() -> Search {
    let pattern = Pattern::default();
    Search {
        streams: Streams::All,
        times: Times::default(),
        pattern,
        limit: 10_000,
        from: None,
    }
}

fn messages(events: &[headwater_loggroups::Event]) -> Vec<u64> {
    events
        .iter()
        .map(|e| e.message["event ".len()..].parse().unwrap())
        .collect()
}

#[tokio::test]
async fn groups_and_streams_are_made_listed_and_deleted() {
    let world = World::new().await;
    for name in ["/aws/lambda/b", "/aws/lambda/a", "other"] {
        world.groups.create_group(name).await.unwrap();
    }
    assert_eq!(
        world.groups.create_group("other").await,
        Err(Error::GroupExists("other".into()))
    );
    let names =
        |found: Vec<(String, _)>| found.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let lambda = world.groups.groups("/aws/lambda/", None, 10).await.unwrap();
    assert_eq!(names(lambda), ["/aws/lambda/a", "/aws/lambda/b"]);
    assert_eq!(
        names(
            world
                .groups
                .groups("", Some("/aws/lambda/a"), 1)
                .await
                .unwrap()
        ),
        ["/aws/lambda/b"]
    );

    world.groups.create_stream("other", "s").await.unwrap();
    assert_eq!(
        world.groups.create_stream("other", "s").await,
        Err(Error::StreamExists("s".into()))
    );
    assert_eq!(
        world.groups.create_stream("none", "s").await,
        Err(Error::NoGroup("none".into()))
    );
    assert_eq!(
        world.groups.put("other", "t", events(0..1)).await,
        Err(Error::NoStream("t".into()))
    );
    world.groups.set_retention("other", Some(7)).await.unwrap();
    assert_eq!(
        world.groups.group("other").await.unwrap().retention_days,
        Some(7)
    );

    world.groups.put("other", "s", events(0..1)).await.unwrap();
    let world = world.again().await;
    assert_eq!(
        world.groups.group("other").await.unwrap().retention_days,
        Some(7)
    );
    assert_eq!(
        world
            .groups
            .streams("other", "", None, 10)
            .await
            .unwrap()
            .len(),
        1
    );
    world.groups.delete_group("other").await.unwrap();
    assert_eq!(
        world.groups.group("other").await,
        Err(Error::NoGroup("other".into()))
    );
    world.groups.create_group("other").await.unwrap();
    assert!(
        world
            .groups
            .streams("other", "", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        world
            .groups
            .search("other", &all())
            .await
            .unwrap()
            .events
            .is_empty()
    );
}

#[tokio::test]
async fn a_streams_events_are_read_forward_and_backward() {
    let world = World::new().await;
    let batch = |stream: &str, range| Batch {
        group: "g".into(),
        stream: stream.into(),
        events: events(range),
    };
    for from in [0, 10, 20] {
        world
            .groups
            .append(vec![batch("s", from..from + 10), batch("t", 100..105)])
            .await
            .unwrap();
    }
    let page = async |place, limit| {
        world
            .groups
            .events("g", "s", Times::default(), place, limit)
            .await
            .unwrap()
    };

    let first = page(Place::Head, 12).await;
    assert_eq!(messages(&first.events), (0..12).collect::<Vec<_>>());
    let rest = page(Place::From(first.forward), 100).await;
    assert_eq!(messages(&rest.events), (12..30).collect::<Vec<_>>());
    let end = page(Place::From(rest.forward), 100).await;
    assert_eq!(
        (end.events.len(), end.forward),
        (0, rest.forward),
        "at the end the token stays"
    );

    let last = page(Place::Tail, 12).await;
    assert_eq!(messages(&last.events), (18..30).collect::<Vec<_>>());
    let before = page(Place::Before(last.backward), 12).await;
    assert_eq!(messages(&before.events), (6..18).collect::<Vec<_>>());
    let begin = page(Place::Before(before.backward), 12).await;
    assert_eq!(messages(&begin.events), (0..6).collect::<Vec<_>>());
    let none = page(Place::Before(begin.backward), 12).await;
    assert_eq!((none.events.len(), none.backward), (0, begin.backward));
    assert_eq!(
        messages(&page(Place::From(last.backward), 100).await.events),
        (18..30).collect::<Vec<_>>()
    );

    let times = Times {
        start: Some(Millis(NOW + 5)),
        end: Some(Millis(NOW + 8)),
    };
    let some = world
        .groups
        .events("g", "s", times, Place::Head, 100)
        .await
        .unwrap();
    assert_eq!(messages(&some.events), [5, 6, 7]);
    let streams = world.groups.streams("g", "", None, 10).await.unwrap();
    let expected = StreamTimes {
        first: Millis(NOW),
        last: Millis(NOW + 29),
        ingested: Millis(NOW),
    };
    assert_eq!(streams[0].1.times, Some(expected));
    let world = world.again().await;
    assert_eq!(
        world.groups.streams("g", "s", None, 10).await.unwrap()[0]
            .1
            .times,
        Some(expected)
    );
}

#[tokio::test]
async fn a_group_is_searched_by_streams_times_and_patterns() {
    let world = World::new().await;
    world.groups.create_group("g").await.unwrap();
    for stream in ["a1", "a2", "b"] {
        world.groups.create_stream("g", stream).await.unwrap();
        let events = [(0, "start"), (5, "an error"), (9, "end")];
        let event = |(at, text)| NewEvent {
            time: Millis(NOW + at),
            message: format!("{stream} {text}"),
        };
        world
            .groups
            .put("g", stream, events.map(event).into())
            .await
            .unwrap();
    }
    assert_eq!(world.found(all()).await.len(), 9);
    let pattern = Pattern::parse("error").unwrap();
    assert_eq!(
        world.found(Search { pattern, ..all() }).await,
        ["a1 an error", "a2 an error", "b an error"]
    );
    let times = Times {
        start: Some(Millis(NOW + 6)),
        end: None,
    };
    assert_eq!(
        world.found(Search { times, ..all() }).await,
        ["a1 end", "a2 end", "b end"]
    );
    let streams = Streams::Prefix("a".into());
    assert_eq!(
        world
            .found(Search {
                streams,
                times,
                ..all()
            })
            .await,
        ["a1 end", "a2 end"]
    );
    let streams = Streams::Named(vec!["b".into()]);
    assert_eq!(
        world
            .found(Search {
                streams,
                times,
                ..all()
            })
            .await,
        ["b end"]
    );
    let unknown = Search {
        streams: Streams::Named(vec!["c".into()]),
        ..all()
    };
    assert_eq!(
        world.groups.search("g", &unknown).await,
        Err(Error::NoStream("c".into()))
    );

    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = world
            .groups
            .search(
                "g",
                &Search {
                    limit: 2,
                    from,
                    ..all()
                },
            )
            .await
            .unwrap();
        seen.extend(page.events.into_iter().map(|e| e.offset));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, (0..9).collect::<Vec<_>>());

    world.groups.delete_stream("g", "b").await.unwrap();
    assert_eq!(
        world.found(all()).await.len(),
        6,
        "a deleted stream's events are not shown"
    );
    world.groups.create_stream("g", "b").await.unwrap();
    world.groups.put("g", "b", events(0..1)).await.unwrap();
    assert_eq!(
        world.found(all()).await.len(),
        7,
        "nor are they when there is a stream of that name again"
    );
    let page = world
        .groups
        .events("g", "b", Times::default(), Place::Tail, 10)
        .await
        .unwrap();
    assert_eq!(page.events.len(), 1);
}

#[tokio::test]
async fn long_searches_come_in_pages_of_bounded_size() {
    let world = World::new().await;
    let message = "x".repeat(200_000);
    let event = |i| NewEvent {
        time: Millis(NOW + i),
        message: format!("{message} {i}"),
    };
    for i in 0..12 {
        let events = vec![event(i)];
        world
            .groups
            .append(vec![Batch {
                group: "g".into(),
                stream: "s".into(),
                events,
            }])
            .await
            .unwrap();
    }
    let page = world.groups.search("g", &all()).await.unwrap();
    assert_eq!(page.events.len(), limits::PAGE_BYTES_MAX / 200_000);
    assert_eq!(page.next, Some(5));
    let page = world
        .groups
        .events("g", "s", Times::default(), Place::Tail, 100)
        .await
        .unwrap();
    assert_eq!((page.events.len(), page.backward), (5, 7));
}

/// Bytes of the events of a range, as AWS counts them.
fn size(range: std::ops::Range<u64>) -> u64 {
    let sizes = events(range).into_iter();
    sizes.map(|event| event.message.len() as u64 + 26).sum()
}

#[tokio::test]
async fn a_group_knows_its_bytes_at_once_and_after_a_start() {
    let world = World::new().await;
    world.groups.create_group("g").await.unwrap();
    world.groups.create_stream("g", "s").await.unwrap();
    let stored = async |world: &World| {
        let group = world.groups.group("g").await.unwrap();
        world.groups.stored_bytes(&group).await.unwrap()
    };
    assert_eq!(stored(&world).await, 0);
    world.groups.put("g", "s", events(0..5)).await.unwrap();
    assert_eq!(stored(&world).await, size(0..5));
    let puts = (5..40).map(|i| world.groups.put("g", "s", events(i..i + 1)));
    futures_util::future::join_all(puts).await;
    assert_eq!(stored(&world).await, size(0..40));
    let world = world.again().await;
    assert_eq!(stored(&world).await, size(0..40));
    world.groups.put("g", "s", events(40..50)).await.unwrap();
    // A crash: what waits is never written.
    let World {
        dir,
        env,
        catalog,
        log,
        groups,
    } = world;
    drop(groups);
    log.close().await;
    drop(log);
    let (log, groups) = open(&env, dir.path(), &catalog).await;
    let world = World {
        dir,
        env,
        catalog,
        log,
        groups,
    };
    assert_eq!(stored(&world).await, size(0..50));
}

#[tokio::test]
async fn bytes_go_with_the_events_that_expire() {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
    let clock = Arc::new(ManualClock::at(Millis(NOW)));
    let mut world = World::new().await;
    world.env.clock = clock.clone();
    let mut world = world.again().await;
    world.groups.create_group("g").await.unwrap();
    world.groups.create_stream("g", "s").await.unwrap();
    world.groups.set_retention("g", Some(3)).await.unwrap();
    let stored = async |world: &World| {
        let group = world.groups.group("g").await.unwrap();
        world.groups.stored_bytes(&group).await.unwrap()
    };
    for day in 0..5 {
        assert_eq!(stored(&world).await, size(0..1) * day.min(3), "{day}");
        let mut now = events(0..1);
        now[0].time = Millis(NOW).plus(DAY * u32::try_from(day).unwrap());
        world.groups.put("g", "s", now).await.unwrap();
        assert_eq!(stored(&world).await, size(0..1) * (day + 1).min(4), "{day}");
        clock.advance(DAY);
        world = world.again().await;
    }
    let rows = world.catalog.scan("log-group-bytes/", None, 100).await;
    assert!(rows.unwrap().len() <= 4, "days that expired leave no rows");
    clock.advance(3 * DAY);
    assert_eq!(stored(&world).await, 0);
}
