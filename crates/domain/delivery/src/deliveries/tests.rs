//! Callers that hang up: whatever they asked for, what runs is what the catalog says.

use std::{collections::BTreeMap, sync::Arc};

use headwater_log::ShardLog;
use serde_json::json;

use super::Deliveries;
use crate::{
    Encryption, NewOrigin, NewStream, Origin,
    testing::{World, destination, hang_up_after, new_stream},
};

/// Turns that what a caller left behind has to come to its end.
const TURNS: usize = 1_000;

fn direct(name: &str) -> NewStream {
    NewStream {
        origin: NewOrigin::Direct,
        ..new_stream(name, destination())
    }
}

/// Hangs up on `call` at each of its await points in turn, each time in a new world that has the delivery streams
/// `direct` and `reading`, and compares.
async fn hang_up_on(what: &str, call: impl AsyncFn(Arc<Deliveries>)) {
    for polls in 0.. {
        let world = World::yielding();
        let deliveries = world.open().await;
        deliveries.create(direct("direct")).await.unwrap();
        let reading = new_stream("reading", destination());
        deliveries.create(reading).await.unwrap();
        let is_done = hang_up_after(polls, call(deliveries.clone())).await;
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        agree(&deliveries, &world, &format!("{what}, {polls} polls")).await;
        deliveries.close().await;
        if is_done {
            assert!(polls > 1, "{what} has no await point");
            return;
        }
    }
}

/// The delivery streams that run, and the shards in the log, are those of the catalog.
async fn agree(deliveries: &Deliveries, world: &World, when: &str) {
    let kept = deliveries.store.streams.all().await.unwrap();
    let kept: BTreeMap<_, _> = kept
        .into_iter()
        .map(|(name, found)| (name, found.value))
        .collect();
    let running = deliveries.running.read();
    let runs: BTreeMap<_, _> = running
        .iter()
        .map(|(name, running)| (name.clone(), (*running.engine.stream()).clone()))
        .collect();
    assert_eq!(runs, kept, "{when}");
    let direct = kept
        .values()
        .filter(|stream| matches!(stream.origin, Origin::Direct { .. }));
    assert_eq!(world.log.shards().len(), direct.count(), "{when}");
}

#[tokio::test]
async fn a_caller_that_hangs_up_leaves_memory_as_the_catalog_is() {
    hang_up_on("create", async |deliveries| {
        drop(deliveries.create(direct("new")).await.unwrap());
    })
    .await;
    hang_up_on("create from a stream", async |deliveries| {
        let new = new_stream("new", destination());
        drop(deliveries.create(new).await.unwrap());
    })
    .await;
    hang_up_on("update", async |deliveries| {
        let mut to = destination();
        to.bucket = "other".into();
        drop(
            deliveries
                .update("reading", 1, to, json!({"a": 1}))
                .await
                .unwrap(),
        );
    })
    .await;
    hang_up_on("encrypt", async |deliveries| {
        let encryption = Some(Encryption { key: None });
        deliveries.encrypt("direct", encryption).await.unwrap();
    })
    .await;
    hang_up_on("tag", async |deliveries| {
        let add = |tags: &mut BTreeMap<String, String>| drop(tags.insert("a".into(), "b".into()));
        deliveries.tag("direct", add).await.unwrap();
    })
    .await;
    for name in ["direct", "reading"] {
        hang_up_on("delete", async |deliveries| {
            deliveries.delete(name).await.unwrap();
        })
        .await;
    }
}
