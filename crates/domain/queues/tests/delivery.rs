//! Receiving, waiting, acknowledging and setting aside.

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{FutureExt, poll};
use headwater_queues::{Action, Depth, Error, Kind, NewQueue, ReceiptError, Receive, Start};
use support::{World, attributes, new_queue, records, room, text};

const RECORDS: Kind = Kind::Records;
const DEAD: Kind = Kind::DeadLetters;

#[tokio::test]
async fn a_record_is_in_flight_until_its_time_is_over_and_gone_once_it_is_acknowledged() {
    let world = World::new(2).await;
    let id = world.queue(attributes(30, Some(6))).await;
    world.put(0, "a");
    world.put(1, "b");
    assert_eq!(world.data(&id, RECORDS).await, ["a", "b"]);
    world.advance(29);
    assert!(world.data(&id, RECORDS).await.is_empty());
    world.advance(1);
    let again = world.receive(&id, RECORDS, 10).await;
    assert_eq!(
        again
            .iter()
            .map(|received| received.receives)
            .collect::<Vec<_>>(),
        [2, 2]
    );
    assert_eq!(again[0].first, support::START);
    for received in &again {
        assert_eq!(
            world.settle(&id, received, Action::Acknowledge).await,
            Ok(())
        );
        assert_eq!(
            world.settle(&id, received, Action::Acknowledge).await,
            Err(ReceiptError::Gone)
        );
    }
    world.advance(3600);
    assert!(world.data(&id, RECORDS).await.is_empty());
}

#[tokio::test]
async fn a_receive_waits_for_a_record_and_ends_when_its_time_is_over() {
    let world = World::new(1).await;
    let id = world.queue(attributes(30, None)).await;
    let mut first = Box::pin(world.queues.receive(&id, records(RECORDS)));
    let mut second = Box::pin(world.queues.receive(
        &id,
        Receive {
            wait: Duration::from_secs(3),
            ..records(RECORDS)
        },
    ));
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    world.receive(&id, DEAD, 1).await;
    world.put(0, "a");
    assert_eq!(
        first.await.unwrap().iter().map(text).collect::<Vec<_>>(),
        ["a"]
    );
    world.receive(&id, DEAD, 1).await;
    assert!(poll!(&mut second).is_pending());
    world.advance(3);
    assert_eq!(second.await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_receive_wakes_when_a_record_comes_back() {
    let world = World::new(1).await;
    let id = world.queue(attributes(5, Some(2))).await;
    world.put(0, "a");
    let received = world.receive(&id, RECORDS, 1).await.remove(0);
    let mut waiting = Box::pin(world.queues.receive(&id, records(RECORDS)));
    assert!(poll!(&mut waiting).is_pending());
    assert_eq!(
        world
            .settle(&id, &received, Action::Hide(Duration::ZERO))
            .await,
        Ok(())
    );
    assert_eq!(waiting.await.unwrap()[0].receives, 2);
    let mut dead = Box::pin(world.queues.receive(&id, records(DEAD)));
    assert!(poll!(&mut dead).is_pending());
    world.receive(&id, DEAD, 1).await;
    world.advance(5);
    assert_eq!(dead.await.unwrap()[0].receives, 3);
}

#[tokio::test]
async fn what_is_received_too_often_becomes_a_dead_letter_and_can_be_restored() {
    let mut world = World::new(1).await;
    let id = world.queue(attributes(10, Some(2))).await;
    world.put(0, "a");
    for _ in 0..2 {
        assert_eq!(world.data(&id, RECORDS).await, ["a"]);
        assert!(world.data(&id, DEAD).await.is_empty());
        world.advance(10);
        world.reopen().await;
    }
    assert!(world.data(&id, RECORDS).await.is_empty());
    let dead = world.receive(&id, DEAD, 10).await.remove(0);
    assert_eq!((text(&dead).as_str(), dead.receives), ("a", 3));
    assert!(world.data(&id, DEAD).await.is_empty(), "it is in flight");
    assert_eq!(
        world.settle(&id, &dead, Action::Hide(Duration::ZERO)).await,
        Ok(())
    );
    let again = world.receive(&id, DEAD, 10).await.remove(0);
    assert_eq!(
        world.settle(&id, &dead, Action::Restore).await,
        Err(ReceiptError::Superseded)
    );
    assert_eq!(world.settle(&id, &again, Action::Restore).await, Ok(()));
    assert_eq!(
        world.settle(&id, &again, Action::Restore).await,
        Err(ReceiptError::Superseded)
    );
    world.reopen().await;
    let restored = world.receive(&id, RECORDS, 10).await.remove(0);
    assert_eq!(restored.receives, 1);
    assert_eq!(
        world.settle(&id, &restored, Action::Acknowledge).await,
        Ok(())
    );
    world.advance(100);
    assert!(world.data(&id, RECORDS).await.is_empty() && world.data(&id, DEAD).await.is_empty());
}

#[tokio::test]
async fn receipts_are_good_for_their_queue_their_kind_and_the_last_receive() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(2))).await;
    let other = world.queues.create(new_queue("other"), room(20)).await;
    let other = other.unwrap().id;
    world.put(0, "a");
    let first = world.receive(&id, RECORDS, 1).await.remove(0);
    assert_eq!(
        world.settle(&other, &first, Action::Acknowledge).await,
        Err(ReceiptError::Foreign)
    );
    let as_dead = vec![(first.receipt.clone(), Action::Acknowledge)];
    assert_eq!(
        world.queues.settle(&id, DEAD, as_dead).await.unwrap(),
        [Err(ReceiptError::Foreign)]
    );
    world.advance(10);
    let second = world.receive(&id, RECORDS, 1).await.remove(0);
    assert_eq!(
        world.settle(&id, &first, Action::Acknowledge).await,
        Err(ReceiptError::Superseded)
    );
    world.advance(10);
    assert!(world.receive(&id, RECORDS, 1).await.is_empty());
    assert_eq!(
        world.settle(&id, &second, Action::Acknowledge).await,
        Err(ReceiptError::DeadLetter)
    );
}

#[tokio::test]
async fn a_queue_begins_where_it_is_told_to() {
    let world = World::new(2).await;
    world.put(0, "old");
    world.advance(60);
    let middle = world.now();
    world.put(1, "middle");
    world.advance(60);
    let future = headwater_types::Millis(world.now().0 + 60_000);
    let create = async |name: &str, start| {
        let new = NewQueue {
            start,
            ..new_queue(name)
        };
        world.queues.create(new, room(20)).await.unwrap().id
    };
    let all = create("all", Start::TrimHorizon).await;
    let at = create("at", Start::Time(middle)).await;
    let latest = create("latest", Start::Latest).await;
    let later = create("later", Start::Time(future)).await;
    world.put(0, "new");
    world.advance(60);
    world.put(1, "newer");
    assert_eq!(
        world.data(&all, RECORDS).await,
        ["middle", "new", "newer", "old"]
    );
    assert_eq!(world.data(&at, RECORDS).await, ["middle", "new", "newer"]);
    assert_eq!(world.data(&latest, RECORDS).await, ["new", "newer"]);
    assert_eq!(world.data(&later, RECORDS).await, ["newer"]);
}

#[tokio::test]
async fn neither_new_records_nor_those_that_come_back_keep_the_others_waiting() {
    let world = World::new(1).await;
    let id = world.queue(attributes(0, None)).await;
    for n in 0..20 {
        world.put(0, &n.to_string());
    }
    let mut counts = std::collections::BTreeMap::new();
    for _ in 0..60 {
        for received in world.receive(&id, RECORDS, 1).await {
            *counts.entry(text(&received)).or_insert(0) += 1;
        }
    }
    assert_eq!(counts.len(), 20);
    assert!(counts.values().all(|count| *count >= 1) && counts.values().any(|count| *count > 1));
}

#[tokio::test]
async fn the_children_of_a_split_are_received_too() {
    let world = World::new(1).await;
    let id = world.queue(attributes(30, None)).await;
    world.put(0, "parent");
    assert_eq!(world.data(&id, RECORDS).await, ["parent"]);
    let mut waiting = Box::pin(world.queues.receive(&id, records(RECORDS)));
    assert!(poll!(&mut waiting).is_pending());
    world.receive(&id, DEAD, 1).await;
    world.stream.split(0);
    world.put(2, "child");
    assert_eq!(text(&waiting.await.unwrap()[0]), "child");
}

#[tokio::test]
async fn what_the_stream_no_longer_keeps_is_not_delivered() {
    let mut world = World::new(1).await;
    let id = world.queue(attributes(10, Some(1))).await;
    for n in 0..4 {
        world.put(0, &n.to_string());
    }
    let received = world.receive(&id, RECORDS, 2).await;
    world.stream.trim(0, 3);
    world.advance(10);
    assert_eq!(world.data(&id, RECORDS).await, ["3"]);
    assert!(world.data(&id, DEAD).await.is_empty());
    assert_eq!(
        world.settle(&id, &received[0], Action::Acknowledge).await,
        Err(ReceiptError::Gone)
    );
    world.reopen().await;
    world.advance(10);
    assert_eq!(world.data(&id, DEAD).await, ["3"]);
}

#[tokio::test]
async fn another_maximum_counts_from_when_it_is_set() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(1))).await;
    world.put(0, "a");
    world.receive(&id, RECORDS, 1).await;
    world.advance(10);
    world
        .queues
        .update(&id, |attributes| attributes.max_receives = None)
        .await
        .unwrap();
    assert_eq!(world.data(&id, DEAD).await, ["a"], "it was dead before");
    world.put(0, "b");
    for _ in 0..5 {
        assert_eq!(world.data(&id, RECORDS).await, ["b"]);
        world.advance(10);
    }
    world
        .queues
        .update(&id, |attributes| attributes.max_receives = Some(5))
        .await
        .unwrap();
    assert_eq!(world.data(&id, RECORDS).await, Vec::<String>::new());
}

#[tokio::test]
async fn nothing_is_answered_that_is_not_durable() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(6))).await;
    world.put(0, "a");
    let received = world.receive(&id, RECORDS, 1).await.remove(0);
    world.catalog.fail_after(0);
    world.put(0, "b");
    let acknowledge = vec![(received.receipt.clone(), Action::Acknowledge)];
    assert!(matches!(
        world.queues.settle(&id, RECORDS, acknowledge).await,
        Err(Error::Catalog(_))
    ));
    let at_once = Receive {
        wait: Duration::ZERO,
        ..records(RECORDS)
    };
    assert!(matches!(
        world.queues.receive(&id, at_once).await,
        Err(Error::Catalog(_))
    ));
    world.catalog.mend();
    let b = world.receive(&id, RECORDS, 10).await.remove(0);
    assert_eq!((text(&b).as_str(), b.receives), ("b", 1));
    assert_eq!(
        world.settle(&id, &received, Action::Acknowledge).await,
        Ok(())
    );
    world.advance(10);
    assert_eq!(world.data(&id, RECORDS).await, ["b"]);
}

#[tokio::test]
async fn a_queue_that_is_deleted_ends_what_waits_and_leaves_nothing() {
    let mut world = World::new(1).await;
    let id = world.queue(attributes(10, Some(6))).await;
    for n in 0..30 {
        world.put(0, &n.to_string());
    }
    for _ in 0..3 {
        world.receive(&id, RECORDS, 10).await;
    }
    let mut waiting = Box::pin(world.queues.receive(&id, records(DEAD)));
    assert!(poll!(&mut waiting).is_pending());
    world.receive(&id, DEAD, 1).await;
    world.queues.delete(&id).await.unwrap();
    let gone = Error::NoQueue(id.clone());
    assert_eq!(waiting.await, Err(gone.clone()));
    assert_eq!(world.queues.delete(&id).await, Err(gone.clone()));
    use headwater_catalog::Catalog;
    assert_eq!(world.catalog.scan("", None, 10).await, Ok(Vec::new()));
    let other = world.queue(attributes(10, Some(6))).await;
    assert_ne!(other, id);
    world.reopen().await;
    assert_eq!(world.record(&id).await, Err(gone));
    assert_eq!(world.data(&other, RECORDS).await.len(), 10);
}

#[tokio::test]
async fn queues_are_refused_over_their_limits() {
    let world = World::new(1).await;
    let create = async |new| {
        let made = world.queues.create(new, room(2)).await;
        made.map(|record| record.name)
    };
    assert_eq!(create(new_queue("b")).await, Ok("b".to_owned()));
    assert_eq!(
        create(new_queue("b")).await,
        Err(Error::QueueExists("b".to_owned()))
    );
    assert_eq!(create(new_queue("a")).await, Ok("a".to_owned()));
    assert_eq!(create(new_queue("c")).await, Err(Error::TooManyQueues));
    let tags = (0..51).map(|n| (n.to_string(), String::new())).collect();
    assert_eq!(
        create(NewQueue {
            tags,
            ..new_queue("c")
        })
        .await,
        Err(Error::TooManyTags)
    );
    let names = |after, limit| {
        let (page, more) = world.queues.list(after, limit, |_| true);
        (
            page.into_iter()
                .map(|record| record.name)
                .collect::<Vec<_>>(),
            more,
        )
    };
    assert_eq!(names(None, 1), (vec!["a".to_owned()], true));
    assert_eq!(names(Some("a"), 1), (vec!["b".to_owned()], false));
    world.streams.deleted.store(true, Ordering::SeqCst);
    let made = world.queues.create(new_queue("c"), room(3)).await;
    assert_eq!(made, Err(Error::NoStream));
}

#[tokio::test]
async fn a_shutdown_lets_nobody_wait() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(6))).await;
    let mut waiting = Box::pin(world.queues.receive(&id, records(RECORDS)));
    assert!(poll!(&mut waiting).is_pending());
    world.queues.close().await;
    assert_eq!(waiting.await, Ok(Vec::new()));
    assert_eq!(
        world.queues.receive(&id, records(RECORDS)).await,
        Ok(Vec::new())
    );
}

#[tokio::test]
async fn the_depth_of_a_queue_tells_what_waits_is_in_flight_and_is_dead() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(1))).await;
    let depth = async || world.queues.depth(&id).await.unwrap().unwrap();
    assert!(world.receive(&id, RECORDS, 1).await.is_empty());
    assert_eq!(depth().await, Depth::default());
    let first = world.now();
    world.put(0, "a");
    world.advance(1);
    world.put(0, "b");
    world.advance(1);
    world.put(0, "c");
    let tells = |waiting, in_flight, dead_letters, oldest: Option<u64>| Depth {
        waiting,
        in_flight,
        dead_letters,
        oldest: oldest.map(|seconds| first.plus(Duration::from_secs(seconds))),
    };
    assert_eq!(depth().await, tells(3, 0, 0, Some(0)));
    let received = world.receive(&id, RECORDS, 2).await;
    assert_eq!(received.iter().map(text).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(depth().await, tells(1, 2, 0, Some(0)));
    world
        .settle(&id, &received[0], Action::Acknowledge)
        .await
        .unwrap();
    assert_eq!(depth().await, tells(1, 1, 0, Some(1)));
    world.advance(10);
    assert_eq!(depth().await, tells(1, 0, 1, Some(2)));
    assert_eq!(world.data(&id, RECORDS).await, ["c"]);
    assert_eq!(depth().await, tells(0, 1, 1, Some(2)));
    assert_eq!(
        world.queues.names(),
        [(id.clone(), "q".to_owned())],
        "it is found by its name"
    );
    assert!(world.queues.depth("none").await.is_err());
}

#[tokio::test]
async fn at_a_glance_counts_are_new_and_the_oldest_is_of_some_seconds_ago() {
    let world = World::new(1).await;
    let id = world.queue(attributes(10, Some(1))).await;
    let glance = async || {
        let depth = world.queues.depth_at_a_glance(&id).await.unwrap().unwrap();
        (depth.waiting, depth.oldest)
    };
    assert!(world.receive(&id, RECORDS, 1).await.is_empty());
    assert_eq!(glance().await, (0, None));
    let first = world.now();
    world.put(0, "a");
    world.advance(1);
    let second = world.now();
    world.put(0, "b");
    assert_eq!(glance().await, (2, Some(first)));
    let received = world.receive(&id, RECORDS, 1).await;
    let done = world.settle(&id, &received[0], Action::Acknowledge);
    done.await.unwrap();
    assert_eq!(glance().await, (1, Some(first)));
    world.advance(10);
    assert_eq!(glance().await, (1, Some(second)));
    assert_eq!(world.data(&id, RECORDS).await, ["b"]);
    let received = world.queues.depth(&id).await.unwrap().unwrap();
    assert_eq!((received.waiting, received.in_flight), (0, 1));
}

#[tokio::test]
async fn the_depth_is_told_beside_the_worker_and_of_what_is_in_memory_alone() {
    let mut world = World::new(1).await;
    let id = world.queue(attributes(10, Some(1))).await;
    world.put(0, "a");
    // The worker shares the test's thread: it does nothing while the test does not wait.
    let at_once = |world: &World| world.queues.depth(&id).now_or_never().unwrap().unwrap();
    assert_eq!(at_once(&world), None, "nothing was loaded");
    assert_eq!(world.data(&id, RECORDS).await, ["a"]);
    let tells = |in_flight, dead_letters| Depth {
        in_flight,
        dead_letters,
        oldest: (in_flight > 0).then_some(support::START),
        ..Depth::default()
    };
    assert_eq!(at_once(&world), Some(tells(1, 0)));
    world.advance(10);
    assert_eq!(at_once(&world), Some(tells(0, 1)), "time went by");
    world.catalog.fail_after(0);
    assert!(
        world.queues.settle(&id, RECORDS, Vec::new()).await.is_err(),
        "the dead letter is not committed"
    );
    assert_eq!(at_once(&world), None, "what failed is loaded anew");
    world.catalog.mend();
    world.reopen().await;
    assert_eq!(at_once(&world), None, "a start loads nothing");
    assert_eq!(world.data(&id, Kind::DeadLetters).await, ["a"]);
    assert_eq!(at_once(&world), Some(tells(0, 1)));
}
