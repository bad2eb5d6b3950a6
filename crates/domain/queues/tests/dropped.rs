//! Changes whose callers go away half way: what is known is what the catalog has, and nothing is left over.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use headwater_catalog::{Catalog, Table};
use headwater_env::testing::{CountedTasks, drop_at_every_await};
use headwater_queues::{Action, Error, Kind, QueueRecord, Receipt, Receive, Tags};
use headwater_types::kept::Prefix;
use support::{World, attributes, new_queue, records, room};

/// A world with a queue, and a record of it that was received.
struct Ready {
    world: World,
    id: String,
    receipt: Receipt,
}

type Call = for<'a> fn(&'a Ready) -> BoxFuture<'a, Result<(), Error>>;

/// Every operation that changes a queue or what it delivers.
const CALLS: &[(&str, Call)] = &[
    ("create", |r| {
        Box::pin(async move {
            r.world
                .queues
                .create(new_queue("new"), room(20))
                .await
                .map(drop)
        })
    }),
    ("update", |r| {
        let change = |attributes: &mut headwater_queues::Attributes| attributes.visibility_s = 7;
        Box::pin(async move { r.world.queues.update(&r.id, change).await.map(drop) })
    }),
    ("tag", |r| Box::pin(r.world.queues.tag(&r.id, tags("new")))),
    ("untag", |r| {
        Box::pin(r.world.queues.untag(&r.id, vec!["old".into()]))
    }),
    ("set_policy", |r| {
        Box::pin(r.world.queues.set_policy(&r.id, Some("{}".into())))
    }),
    ("delete", |r| Box::pin(r.world.queues.delete(&r.id))),
    ("receive", |r| {
        let receive = Receive {
            wait: Duration::ZERO,
            ..records(Kind::Records)
        };
        Box::pin(async move { r.world.queues.receive(&r.id, receive).await.map(drop) })
    }),
    ("settle", |r| {
        let settled = vec![(r.receipt.clone(), Action::Acknowledge)];
        Box::pin(async move {
            r.world
                .queues
                .settle(&r.id, Kind::Records, settled)
                .await
                .map(drop)
        })
    }),
];

fn tags(of: &str) -> Tags {
    [(of.to_owned(), String::new())].into()
}

async fn ready(tasks: &CountedTasks) -> Ready {
    let world = World::counted(1, tasks).await;
    let id = world.queue(attributes(30, None)).await;
    world.queues.tag(&id, tags("old")).await.unwrap();
    world.put(0, "a");
    world.put(0, "b");
    let receipt = world.receive(&id, Kind::Records, 1).await.remove(0).receipt;
    world.catalog.yield_in(world.env.clone());
    Ready { world, id, receipt }
}

async fn agrees(ready: Ready) {
    let world = ready.world;
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    let rows = |rows: Vec<(String, _)>| rows.into_iter().map(|(name, _)| name);
    let stored = Table::<QueueRecord>::new(catalog.clone(), Prefix::Queues)
        .all()
        .await
        .unwrap();
    let mut stored: Vec<_> = stored.into_iter().map(|(_, found)| found.value).collect();
    stored.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(
        world.queues.list(None, 100, |_| true),
        (stored.clone(), false)
    );
    let names = Table::<String>::new(catalog.clone(), Prefix::QueueNames)
        .all()
        .await
        .unwrap();
    let names: BTreeMap<_, _> = names
        .into_iter()
        .map(|(name, id)| (name, id.value))
        .collect();
    let expected = stored
        .iter()
        .map(|queue| (queue.name.clone(), queue.id.clone()));
    assert_eq!(names, expected.collect());
    let count = world.queues.count(&new_queue("q").stream).await.unwrap();
    assert_eq!(count.value, stored.len());
    let left = Table::<()>::new(catalog.clone(), Prefix::QueuesDeleted)
        .all()
        .await
        .unwrap();
    assert!(left.is_empty(), "a deletion was not finished");
    let pending = catalog
        .scan(Prefix::QueuePending.key(), None, 100)
        .await
        .unwrap();
    let of_living = |key: &String| stored.iter().any(|queue| key.contains(&queue.id));
    assert!(rows(pending).all(|key| of_living(&key)));
    assert!(world.queues.tag(&ready.id, tags("later")).await.is_ok() || stored.is_empty());
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
