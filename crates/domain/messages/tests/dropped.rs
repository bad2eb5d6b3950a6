//! Changes whose callers go away half way: what is known is what the catalog and the log have.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use headwater_catalog::{Catalog, Table};
use headwater_env::testing::{CountedTasks, drop_at_every_await};
use headwater_log::ShardLog;
use headwater_messages::{Error, NewQueue, QueueRecord, Receipt, Receive, Settings, Settle};
use headwater_types::kept::Prefix;
use support::{World, fifo, of_group, text};

/// A world with two queues, and a message of the first that was received.
struct Ready {
    world: World,
    receipt: Receipt,
}

type Call = for<'a> fn(&'a Ready) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a queue or what is in it.
const CALLS: &[(&str, Call)] = &[
    ("create", |r| {
        let new = NewQueue {
            name: "new".into(),
            ..NewQueue::default()
        };
        Box::pin(async move { r.world.queues.create(new, |_| None).await.map(drop) })
    }),
    ("alter", |r| {
        let longer = |queue: &mut QueueRecord| {
            queue.settings.retention_s = 1000;
            Ok::<(), Error>(())
        };
        Box::pin(async move { r.world.queues.alter("q", true, longer).await.map(drop) })
    }),
    ("delete", |r| Box::pin(r.world.queues.delete("q"))),
    ("send", |r| {
        Box::pin(async move { r.world.queues.send("q", vec![text("new")]).await.map(drop) })
    }),
    ("send to one with order", |r| {
        let new = vec![of_group("g", "new")];
        Box::pin(async move { r.world.queues.send("f", new).await.map(drop) })
    }),
    ("receive", |r| {
        let receive = Receive {
            limit: 10,
            wait: Some(Duration::ZERO),
            ..Receive::default()
        };
        Box::pin(async move { r.world.queues.receive("q", receive).await.map(drop) })
    }),
    ("settle", |r| {
        let settled = vec![(r.receipt, Settle::Delete)];
        Box::pin(async move { r.world.queues.settle("q", settled).await.map(drop) })
    }),
    ("purge", |r| Box::pin(r.world.queues.purge("q"))),
];

async fn ready(tasks: &CountedTasks) -> Ready {
    let world = World::counted(tasks).await;
    world.create("q", Settings::default()).await;
    world.create("f", fifo()).await;
    world.send("q", text("a")).await;
    world.send("q", text("b")).await;
    let receipt = world.receive("q", 1).await.remove(0).receipt;
    Ready { world, receipt }
}

async fn agrees(ready: Ready) {
    let mut world = ready.world;
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    let stored = Table::<QueueRecord>::new(catalog, Prefix::MessageQueues)
        .all()
        .await;
    let stored: Vec<_> = stored
        .unwrap()
        .into_iter()
        .map(|(_, found)| found.value)
        .collect();
    let known = world.queues.list("", None, 100, |_| true);
    assert_eq!(known, (stored.clone(), false));
    // Each queue has its two shards. One that is being made may have them before it is there.
    let shards = world.log.shards().await.unwrap().len();
    assert!(
        shards == 2 * stored.len(),
        "{shards} shards of {} queues",
        stored.len()
    );
    let mut depths = Vec::new();
    for queue in &stored {
        depths.push(world.queues.depth(&queue.name).await.unwrap());
    }
    world.reopen().await;
    for (queue, depth) in stored.iter().zip(depths) {
        assert_eq!(
            world.queues.depth(&queue.name).await.unwrap(),
            depth,
            "{}",
            queue.name
        );
    }
}

#[tokio::test]
async fn a_change_whose_caller_goes_away_is_made_everywhere_or_nowhere() {
    let tasks = CountedTasks::default();
    for (what, call) in CALLS {
        println!("{what}");
        let ready = async || ready(&tasks).await;
        let done = drop_at_every_await(&tasks, ready, async |r: &Ready| call(r).await, agrees);
        assert_eq!(done.await, Ok(()), "{what}");
    }
}
