//! Two nodes over one catalog, and changes that race.
#![allow(clippy::unwrap_used, reason = "this is test code")]

mod support;

use std::sync::Arc;

use futures_util::future::join_all;
use headwater_catalog::{Catalog, Expect, Table};
use headwater_queues::{Action, Error, Kind, QueueRecord, Queues};
use headwater_types::kept::Prefix;
use support::{World, attributes, new_queue, room};

/// Another node over the same catalog and stream.
async fn other_node(world: &World) -> Arc<Queues> {
    Queues::open(
        world.env.clone(),
        world.catalog.clone(),
        world.streams.clone(),
    )
    .await
    .unwrap()
}

fn tags(of: &str) -> std::collections::BTreeMap<String, String> {
    [(of.to_owned(), String::new())].into()
}

#[tokio::test]
async fn a_change_of_another_node_is_taken_over_and_not_overwritten() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, None)).await;
    let other = other_node(&world).await;
    other.tag(&id, tags("there")).await.unwrap();
    world.queues.tag(&id, tags("here")).await.unwrap();
    let names: Vec<_> = world.record(&id).await.unwrap().tags.into_keys().collect();
    assert_eq!(names, ["here", "there"]);
    other.delete(&id).await.unwrap();
    assert_eq!(
        world.queues.tag(&id, tags("late")).await,
        Err(Error::NoQueue(id.clone()))
    );
    assert_eq!(world.record(&id).await, Err(Error::NoQueue(id.clone())));
    assert_eq!(
        world.queues.delete(&id).await,
        Err(Error::NoQueue(id.clone()))
    );
}

#[tokio::test]
async fn a_name_that_another_node_gave_away_is_known_then() {
    let world = World::new(1).await;
    let other = other_node(&world).await;
    let made = other.create(new_queue("q"), room(20)).await.unwrap();
    let again = world.queues.create(new_queue("q"), room(20)).await;
    assert_eq!(again, Err(Error::QueueExists("q".to_owned())));
    assert_eq!(world.record(&made.id).await, Ok(made));
}

#[tokio::test]
async fn a_deletion_goes_by_what_another_node_wrote() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, None)).await;
    let other = other_node(&world).await;
    other.tag(&id, tags("there")).await.unwrap();
    world.queues.delete(&id).await.unwrap();
    let left = world.catalog.scan("queues/", None, 100).await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

/// A queue that two nodes deliver from gives each record once, whichever of them received before.
#[tokio::test]
async fn a_worker_reads_anew_what_another_node_delivered() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, None)).await;
    world.put(0, "a");
    let received = world.receive(&id, Kind::Records, 10).await;
    let other = other_node(&world).await;
    let settled = |queues: Arc<Queues>, action| {
        let receipt = received[0].receipt.clone();
        let id = id.clone();
        async move {
            queues
                .settle(&id, Kind::Records, vec![(receipt, action)])
                .await
        }
    };
    assert_eq!(settled(other, Action::Acknowledge).await, Ok(vec![Ok(())]));
    let hide = Action::Hide(std::time::Duration::ZERO);
    let stale = settled(world.queues.clone(), hide).await;
    assert!(matches!(stale, Err(Error::Catalog(_))), "{stale:?}");
    let again = settled(world.queues.clone(), hide).await;
    assert_eq!(again, Ok(vec![Err(headwater_queues::ReceiptError::Gone)]));
}

#[tokio::test]
async fn a_bound_holds_for_queues_that_are_made_at_two_nodes_at_once() {
    let world = World::new(1).await;
    let other = other_node(&world).await;
    world.catalog.yield_in(world.env.clone());
    let nodes = [&world.queues, &other];
    let made = join_all((0..20).map(|n| {
        let new = new_queue(&format!("q-{n}"));
        nodes[n % 2].create(new, room(5))
    }))
    .await;
    assert_eq!(made.iter().filter(|made| made.is_ok()).count(), 5);
    let refused = made.iter().filter_map(|made| made.as_ref().err());
    assert!(refused.clone().all(|error| *error == Error::TooManyQueues));
    let stream = new_queue("q").stream;
    assert_eq!(world.queues.count(&stream).await.unwrap().value, 5);
}

#[tokio::test]
async fn counts_are_made_for_data_of_a_release_without_them() {
    let world = World::new(1).await;
    world.queue(attributes(10, None)).await;
    let stream = new_queue("q").stream;
    let catalog: Arc<dyn Catalog> = world.catalog.clone();
    let counts = Table::<usize>::new(catalog.clone(), Prefix::StreamQueues);
    counts
        .remove(&stream.to_string(), Expect::Present)
        .await
        .unwrap();
    let other = other_node(&world).await;
    assert_eq!(other.count(&stream).await.unwrap().value, 1);
    let queues = Table::<QueueRecord>::new(catalog, Prefix::Queues);
    assert_eq!(queues.all().await.unwrap().len(), 1);
}
