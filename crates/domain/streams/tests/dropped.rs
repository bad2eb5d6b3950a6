//! Changes whose callers go away half way: what is known and what the log has is what the catalog has.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{collections::BTreeSet, sync::Arc};

use futures_util::future::BoxFuture;
use headwater_catalog::{Catalog, Table};
use headwater_env::testing::{CountedTasks, drop_at_every_await};
use headwater_log::ShardLog;
use headwater_streams::{Distribution, Error, NewStream, ShardMetric, StreamRecord};
use headwater_types::{HashKey, ShardIndex, kept::Prefix};
use support::{START, World, alone, entry_at, name};

type Call = for<'a> fn(&'a World) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a stream. `a` has two shards, `d` is on demand, `c` is a consumer of `a`.
const CALLS: &[(&str, Call)] = &[
    ("create", |w| {
        let new = NewStream::new(name("new"), 2);
        Box::pin(async move { w.streams.create(new).await.map(drop) })
    }),
    ("delete", |w| {
        Box::pin(w.streams.delete(name("a"), true, alone()))
    }),
    ("tag", |w| Box::pin(w.streams.tag(name("a"), tags("new")))),
    ("untag", |w| {
        Box::pin(w.streams.untag(name("a"), vec!["old".into()]))
    }),
    ("increase_retention", |w| {
        Box::pin(w.streams.increase_retention(name("a"), 72))
    }),
    ("decrease_retention", |w| {
        Box::pin(w.streams.decrease_retention(name("a"), 24))
    }),
    ("split", |w| {
        Box::pin(w.streams.split(name("a"), ShardIndex(0), HashKey(7)))
    }),
    ("merge", |w| {
        Box::pin(w.streams.merge(name("a"), ShardIndex(0), ShardIndex(1)))
    }),
    ("scale", |w| {
        Box::pin(async move { w.streams.scale(name("a"), 3).await.map(drop) })
    }),
    ("register", |w| {
        let registered = w
            .streams
            .register(name("a"), "new".into(), tags("t"), 20, alone());
        Box::pin(async move { registered.await.map(drop) })
    }),
    ("deregister", |w| {
        Box::pin(w.streams.deregister(consumer(w)))
    }),
    ("tag_consumer", |w| {
        Box::pin(w.streams.tag_consumer(consumer(w), tags("new")))
    }),
    ("untag_consumer", |w| {
        Box::pin(w.streams.untag_consumer(consumer(w), vec!["old".into()]))
    }),
    ("set_policy", |w| {
        Box::pin(w.streams.set_policy(name("a"), Some("{}".into())))
    }),
    ("set_consumer_policy", |w| {
        Box::pin(
            w.streams
                .set_consumer_policy(consumer(w), Some("{}".into())),
        )
    }),
    ("start_encryption", |w| {
        Box::pin(w.streams.start_encryption(name("a"), "k".into()))
    }),
    ("stop_encryption", |w| {
        Box::pin(w.streams.stop_encryption(name("d")))
    }),
    ("distribute", |w| {
        Box::pin(w.streams.distribute(name("d"), Distribution::Auto))
    }),
    ("monitor", |w| {
        let metrics = [ShardMetric::IncomingBytes].into();
        Box::pin(async move { w.streams.monitor(name("a"), metrics, true).await.map(drop) })
    }),
    ("limit_records", |w| {
        Box::pin(w.streams.limit_records(name("a"), 2 << 20))
    }),
    ("change_mode", |w| {
        Box::pin(w.streams.change_mode(name("a"), true, None, alone()))
    }),
    ("warm", |w| {
        Box::pin(async move { w.streams.warm(name("d"), 10).await.map(drop) })
    }),
];

fn tags(of: &str) -> headwater_streams::Tags {
    [(of.to_owned(), String::new())].into()
}

fn consumer(world: &World) -> headwater_streams::Consumer {
    world.stream("a").consumer("c").unwrap()
}

async fn world(tasks: &CountedTasks) -> World {
    let world = World::counted(tasks).await;
    let stream = world.create("a", 2).await;
    let streams = &world.streams;
    world.put(&stream, entry_at(HashKey(0), "x")).await;
    streams.increase_retention(name("a"), 48).await.unwrap();
    streams.tag(name("a"), tags("old")).await.unwrap();
    streams
        .register(name("a"), "c".into(), tags("old"), 20, alone())
        .await
        .unwrap();
    streams
        .create(NewStream::on_demand(name("d"), None))
        .await
        .unwrap();
    streams
        .start_encryption(name("d"), "k".into())
        .await
        .unwrap();
    world.catalog.yield_in(world.env.clone());
    world
}

/// Checks that the process's memory and the log's retention agree with the catalog.
async fn agrees(world: World) {
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    let stored = Table::<StreamRecord>::new(catalog, Prefix::Streams)
        .all()
        .await
        .unwrap();
    let stored: Vec<_> = stored.into_iter().map(|(_, found)| found.value).collect();
    let known = world.streams.after(None, usize::MAX);
    let known: Vec<_> = known.iter().map(|stream| stream.record.clone()).collect();
    assert_eq!(known, stored);
    assert!(stored.iter().all(|record| record.resharding.is_empty()));
    let numbers = stored.iter().flat_map(|record| {
        let number = |shard: &headwater_streams::ShardRecord| record.shard_number(shard.index);
        record.shards.iter().map(number)
    });
    let in_log: BTreeSet<_> = world.log.shards().await.unwrap().into_iter().collect();
    assert_eq!(in_log, numbers.collect());
    for record in stored.iter().filter(|record| record.name == name("a")) {
        for hours in [25, 49, 73] {
            world.advance(START.0 + hours * 3_600_000 - world.env.clock.now().0);
            let is_expired = record.horizon(world.env.clock.now()) > START;
            let first = world
                .log
                .state(record.shard_number(ShardIndex(0)))
                .await
                .unwrap();
            assert_eq!(first.first, u64::from(is_expired), "after {hours} hours");
        }
    }
    world.log.close().await;
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
