//! Changes whose callers go away half way, or that come between each other: what the log has, and for how long, is what the
//! catalog says.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{path::Path, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use headwater_catalog::{Catalog, testing::MortalCatalog};
use headwater_env::{
    Env, ManualClock, SimDisk,
    testing::{CountedTasks, drop_at_every_await},
};
use headwater_log::{EmbeddedLog, Options, ShardLog, ShardNumber};
use headwater_loggroups::{Batch, Error, LogGroups, NewEvent};
use headwater_types::{Millis, kept::ShardSpace};

const START: Millis = Millis(1_514_851_200_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

struct World {
    clock: Arc<ManualClock>,
    catalog: Arc<MortalCatalog>,
    log: Arc<dyn ShardLog>,
    groups: LogGroups,
}

type Call = for<'a> fn(&'a World) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a group, a stream, or what is in it. `g` has the stream `s` with one event.
const CALLS: &[(&str, Call)] = &[
    ("create_group", |w| {
        Box::pin(async move { w.groups.create_group("new").await.map(drop) })
    }),
    ("delete_group", |w| Box::pin(w.groups.delete_group("g"))),
    ("set_retention", |w| {
        Box::pin(w.groups.set_retention("g", Some(1)))
    }),
    ("no_retention", |w| {
        Box::pin(w.groups.set_retention("g", None))
    }),
    ("create_stream", |w| {
        Box::pin(w.groups.create_stream("g", "new"))
    }),
    ("delete_stream", |w| {
        Box::pin(w.groups.delete_stream("g", "s"))
    }),
    ("put", |w| {
        Box::pin(async move { w.groups.put("g", "s", vec![event()]).await.map(drop) })
    }),
    ("append", |w| {
        Box::pin(w.groups.append(vec![batch("new", "new"), batch("g", "s")]))
    }),
];

fn event() -> NewEvent {
    NewEvent {
        time: START,
        message: "m".to_owned(),
    }
}

fn batch(group: &str, stream: &str) -> Batch {
    Batch {
        group: group.to_owned(),
        stream: stream.to_owned(),
        events: vec![event()],
    }
}

async fn world(tasks: &CountedTasks) -> World {
    let clock = Arc::new(ManualClock::at(START));
    let env = Env {
        clock: clock.clone(),
        disk: Arc::new(SimDisk::new(1)),
        tasks: Arc::new(tasks.clone()),
        ..Env::real()
    };
    let options = Options {
        maintain_every: None,
        preallocate_bytes: 64 << 10,
        ..Options::new(Path::new("/log"))
    };
    let log: Arc<dyn ShardLog> = Arc::new(EmbeddedLog::open(env.clone(), options).await.unwrap());
    let catalog = Arc::new(MortalCatalog::default());
    let shared: Arc<dyn Catalog> = catalog.clone();
    let groups = LogGroups::open(env.clone(), shared, log.clone())
        .await
        .unwrap();
    groups.append(vec![batch("g", "s")]).await.unwrap();
    groups.set_retention("g", Some(3)).await.unwrap();
    catalog.yield_in(env);
    World {
        clock,
        catalog,
        log,
        groups,
    }
}

async fn agrees(world: World) {
    let groups = world.groups.groups("", None, 100).await.unwrap();
    let shard = |number| ShardNumber::new(ShardSpace::LogGroups, number);
    let mut expected: Vec<_> = groups
        .iter()
        .map(|(_, group)| shard(group.number))
        .collect();
    let mut shards = world.log.shards().await.unwrap();
    expected.sort_unstable();
    shards.sort_unstable();
    assert_eq!(shards, expected);
    let streams = world.catalog.scan("log-streams/", None, 100).await.unwrap();
    for (key, _) in streams {
        let is_of = |number: u64| key.starts_with(&format!("log-streams/{number:016x}:"));
        assert!(
            groups.iter().any(|(_, group)| is_of(group.number)),
            "{key} is of no group"
        );
    }
    times_are_known(&world).await;
    sizes_are_known(&world).await;
    for days in 1..5 {
        world.clock.advance(DAY);
        for (name, group) in &groups {
            let state = world.log.state(shard(group.number)).await.unwrap();
            let is_expired = group.retention_days.is_some_and(|kept| kept < days);
            let first = if is_expired { state.end } else { 0 };
            assert_eq!(state.first, first, "{name} after {days} days");
        }
    }
    world.log.close().await;
}

/// A stream that has events shows when the last one came.
async fn times_are_known(world: &World) {
    for (group, record) in world.groups.groups("", None, 100).await.unwrap() {
        let shard = ShardNumber::new(ShardSpace::LogGroups, record.number);
        let state = world.log.state(shard).await.unwrap();
        let streams = world.groups.streams(&group, "", None, 100).await.unwrap();
        let is_known = streams.iter().any(|(_, stream)| stream.times.is_some());
        assert!(is_known || streams.is_empty() || state.end == 0, "{group}");
    }
}

/// A group has the bytes of its events, and no other has any.
async fn sizes_are_known(world: &World) {
    let groups = world.groups.groups("", None, 100).await.unwrap();
    for (name, group) in &groups {
        let shard = ShardNumber::new(ShardSpace::LogGroups, group.number);
        let state = world.log.state(shard).await.unwrap();
        let bytes = world.groups.stored_bytes(group).await.unwrap();
        assert_eq!(bytes, state.end * (1 + 26), "{name}");
    }
    world.groups.close().await.unwrap();
    for prefix in ["log-group-bytes/", "log-groups-counted/"] {
        for (key, _) in world.catalog.scan(prefix, None, 100).await.unwrap() {
            let is_of = |number: u64| key.starts_with(&format!("{prefix}{number:016x}:"));
            assert!(groups.iter().any(|(_, group)| is_of(group.number)), "{key}");
        }
    }
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_made_everywhere_or_nowhere() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let world = async || world(&tasks).await;
        let done = drop_at_every_await(&tasks, world, async |w: &World| call(w).await, agrees);
        assert_eq!(done.await, Ok(()), "{what}");
    }
}

/// Two changes of one group's retention end with the log at what the catalog has, whichever came first.
#[tokio::test]
async fn changes_of_one_group_at_once_leave_the_log_at_the_catalogs_retention() {
    let tasks = CountedTasks::default();
    for first in [1, 4] {
        let world = world(&tasks).await;
        let (one, other) = (
            world.groups.set_retention("g", Some(first)),
            world.groups.set_retention("g", Some(5 - first)),
        );
        let (one, other) = futures_util::join!(one, other);
        assert_eq!((one, other), (Ok(()), Ok(())));
        agrees(world).await;
    }
}

/// Another change of the catalog between the look and the write is no error.
#[tokio::test]
async fn a_change_of_another_node_is_not_overwritten() {
    let tasks = CountedTasks::default();
    let world = world(&tasks).await;
    let shared: Arc<dyn Catalog> = world.catalog.clone();
    let env = Env {
        clock: world.clock.clone(),
        tasks: Arc::new(tasks.clone()),
        ..Env::real()
    };
    let other = LogGroups::open(env, shared, world.log.clone())
        .await
        .unwrap();
    let (here, there) = futures_util::join!(
        world.groups.set_retention("g", Some(1)),
        other.set_retention("g", Some(2))
    );
    assert_eq!((here, there), (Ok(()), Ok(())));
    let (here, there) = futures_util::join!(
        world.groups.delete_group("g"),
        other.set_retention("g", Some(3))
    );
    assert_eq!(here, Ok(()));
    assert!(
        matches!(there, Ok(()) | Err(Error::NoGroup(_))),
        "{there:?}"
    );
    assert!(matches!(
        world.groups.group("g").await,
        Err(Error::NoGroup(_))
    ));
}

#[tokio::test]
async fn a_group_that_is_deleted_meanwhile_gets_no_stream() {
    // However far the one has come when the other begins.
    for behind in 0..40 {
        let tasks = CountedTasks::default();
        let world = world(&tasks).await;
        let later = async |turns: usize| {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
        };
        let create = async {
            later(20).await;
            world.groups.create_stream("g", "new").await
        };
        let delete = async {
            later(behind).await;
            world.groups.delete_group("g").await
        };
        let (created, deleted) = tokio::join!(create, delete);
        assert_eq!(deleted, Ok(()), "{behind}");
        if let Err(error) = created {
            assert_eq!(error, Error::NoGroup("g".to_owned()), "{behind}");
        }
        agrees(world).await;
    }
}
