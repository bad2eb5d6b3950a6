//! Messages sent, received, hidden, deleted, and set aside.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "this is test code"
)]

mod support;

use std::time::Duration;

use headwater_messages::{
    Depth, Error, NewMessage, ReceiptError, Receive, Redrive, Settings, Settle,
};
use support::{World, fifo, of_group, text};

fn depth(visible: u64, in_flight: u64, delayed: u64) -> Depth {
    Depth {
        visible,
        in_flight,
        delayed,
    }
}

#[tokio::test]
async fn a_message_is_received_hidden_and_deleted_also_after_a_restart() {
    let mut world = World::new().await;
    world.create("q", Settings::default()).await;
    world.send("q", text("a")).await;
    world.send("q", text("b")).await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(2, 0, 0));
    let first = world.receive("q", 1).await.pop().unwrap();
    assert_eq!((first.body.as_str(), first.receives), ("a", 1));
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(1, 1, 0));
    world.reopen().await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(1, 1, 0));
    world.delete("q", first.receipt).await;
    world.reopen().await;
    assert_eq!(world.bodies("q", 10).await, ["b"]);
    world.pass(30);
    let again = world.receive("q", 10).await.pop().unwrap();
    assert_eq!((again.body.as_str(), again.receives), ("b", 2));
    world.reopen().await;
    world.delete("q", again.receipt).await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 0, 0));
}

#[tokio::test]
async fn an_older_receipt_deletes_where_there_is_no_order() {
    let world = World::new().await;
    world.create("q", Settings::default()).await;
    world.create("f.fifo", fifo()).await;
    for (queue, message) in [("q", text("a")), ("f.fifo", of_group("g", "a"))] {
        world.send(queue, message).await;
        let old = world.receive(queue, 1).await.pop().unwrap().receipt;
        world.pass(31);
        let new = world.receive(queue, 1).await.pop().unwrap().receipt;
        let deleted = world.settle(queue, old, Settle::Delete).await;
        if queue == "q" {
            assert_eq!(deleted, Ok(()));
            let gone = world
                .settle(queue, new, Settle::Visibility(Duration::ZERO))
                .await;
            assert_eq!(gone, Err(ReceiptError::Gone));
            assert_eq!(world.settle(queue, new, Settle::Delete).await, Ok(()));
        } else {
            assert_eq!(deleted, Err(ReceiptError::Expired));
            world.pass(31);
            assert_eq!(
                world.settle(queue, new, Settle::Delete).await,
                Err(ReceiptError::Expired)
            );
        }
    }
    world.create("other", Settings::default()).await;
    world.send("other", text("a")).await;
    let other = world.receive("other", 1).await.pop().unwrap().receipt;
    assert_eq!(
        world.settle("q", other, Settle::Delete).await,
        Err(ReceiptError::Foreign)
    );
}

#[tokio::test]
async fn a_delayed_message_counts_as_such_and_comes_after_its_time() {
    let world = World::new().await;
    let settings = Settings {
        delay_s: 5,
        ..Settings::default()
    };
    world.create("q", settings).await;
    world.send("q", text("a")).await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 0, 1));
    assert!(world.bodies("q", 1).await.is_empty());
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 0, 1));
    let now = NewMessage {
        delay: Some(Duration::ZERO),
        ..text("b")
    };
    world.send("q", now).await;
    assert_eq!(world.bodies("q", 1).await, ["b"]);
    world.pass(5);
    assert_eq!(world.bodies("q", 1).await, ["a"]);
}

#[tokio::test]
async fn a_group_waits_for_its_first_message_and_others_do_not() {
    let mut world = World::new().await;
    world.create("q.fifo", fifo()).await;
    for (group, body) in [("g", "g1"), ("g", "g2"), ("h", "h1"), ("g", "g3")] {
        world.send("q.fifo", of_group(group, body)).await;
    }
    let first = world.receive("q.fifo", 1).await.pop().unwrap();
    assert_eq!(first.body, "g1");
    world.reopen().await;
    let second = world.receive("q.fifo", 10).await;
    assert_eq!(second.len(), 1);
    assert_eq!(second[0].body, "h1");
    world.delete("q.fifo", first.receipt).await;
    world.reopen().await;
    assert_eq!(world.bodies("q.fifo", 10).await, ["g2", "g3"]);
}

/// As recorded on AWS by LocalStack: test_fifo_group_visibility_extends_with_change_message_visibility.
#[tokio::test]
async fn a_group_goes_as_far_as_its_first_hidden_message() {
    for (position, expected) in [(0, vec![]), (1, vec!["foo"]), (2, vec!["foo", "bar"])] {
        let world = World::new().await;
        world.create("q.fifo", fifo()).await;
        for body in ["foo", "bar", "baz"] {
            world.send("q.fifo", of_group("1", body)).await;
        }
        let received = world.receive("q.fifo", 5).await;
        let longer = Settle::Visibility(Duration::from_secs(60));
        world
            .settle("q.fifo", received[position].receipt, longer)
            .await
            .unwrap();
        world.pass(31);
        assert_eq!(world.bodies("q.fifo", 5).await, expected);
    }
}

#[tokio::test]
async fn an_id_is_sent_once_in_five_minutes_also_after_a_restart_and_a_purge_forgets_it() {
    let mut world = World::new().await;
    world.create("q.fifo", fifo()).await;
    let first = world.send("q.fifo", of_group("g", "a")).await;
    assert_eq!(world.send("q.fifo", of_group("h", "a")).await, first);
    world.reopen().await;
    assert_eq!(world.send("q.fifo", of_group("g", "a")).await, first);
    assert_eq!(world.queues.depth("q.fifo").await.unwrap(), depth(1, 0, 0));
    world.queues.purge("q.fifo").await.unwrap();
    assert_eq!(world.queues.purge("q.fifo").await, Err(Error::PurgedLately));
    world.reopen().await;
    assert_eq!(world.queues.purge("q.fifo").await, Err(Error::PurgedLately));
    let second = world.send("q.fifo", of_group("g", "a")).await;
    assert!(second.sequence > first.sequence);
    world.pass(301);
    let third = world.send("q.fifo", of_group("g", "a")).await;
    assert_ne!(third, second);
    let both = world
        .queues
        .send("q.fifo", vec![of_group("g", "x"), of_group("g", "x")])
        .await;
    let both = both.unwrap();
    assert_eq!(both[0], both[1]);
}

#[tokio::test]
async fn a_message_received_too_often_goes_where_it_shall_with_its_count() {
    let mut world = World::new().await;
    let to = |target: &str, max_receives| Settings {
        redrive: Some(Redrive {
            target: target.into(),
            max_receives,
        }),
        ..Settings::default()
    };
    world.create("q", to("dead", 1)).await;
    // The second queue sends what is dead there back: a cycle.
    world.create("dead", to("q", 1)).await;
    world.send("q", text("a")).await;
    for round in 0..3 {
        let (here, there) = if round % 2 == 0 {
            ("q", "dead")
        } else {
            ("dead", "q")
        };
        let received = world.receive(here, 10).await.pop().unwrap();
        assert_eq!(received.receives, round + 1);
        world.pass(31);
        world.reopen().await;
        assert!(world.receive(here, 10).await.is_empty());
        assert_eq!(world.queues.depth(here).await.unwrap(), depth(0, 0, 0));
        assert_eq!(world.queues.depth(there).await.unwrap(), depth(1, 0, 0));
    }
    let dead = world.receive("dead", 1).await.pop().unwrap();
    assert_eq!(dead.source.as_deref(), Some("q"));
}

#[tokio::test]
async fn a_dead_letter_whose_queue_is_gone_stays_and_is_received() {
    let world = World::new().await;
    world.create("dead", Settings::default()).await;
    let settings = Settings {
        redrive: Some(Redrive {
            target: "dead".into(),
            max_receives: 1,
        }),
        ..Settings::default()
    };
    world.create("q", settings).await;
    world.send("q", text("a")).await;
    world.receive("q", 1).await;
    world.queues.delete("dead").await.unwrap();
    world.pass(31);
    assert_eq!(world.receive("q", 1).await[0].receives, 2);
}

#[tokio::test]
async fn many_dead_letters_are_moved_in_parts() {
    let world = World::new().await;
    world.create("dead", Settings::default()).await;
    world.create("q", Settings::default()).await;
    for part in 0..30 {
        let messages = (0..10).map(|i| text(&format!("{part}-{i}")));
        world.queues.send("q", messages.collect()).await.unwrap();
        world.receive("q", 10).await;
    }
    world.send("q", text("alive")).await;
    let change = |record: &mut headwater_messages::QueueRecord| {
        record.settings.redrive = Some(Redrive {
            target: "dead".into(),
            max_receives: 1,
        });
        Ok::<(), Error>(())
    };
    world.queues.alter("q", true, change).await.unwrap();
    world.pass(31);
    assert_eq!(world.bodies("q", 10).await, ["alive"]);
    assert_eq!(world.queues.depth("dead").await.unwrap(), depth(300, 0, 0));
}

#[tokio::test]
async fn an_attempt_is_answered_again_until_a_message_of_it_is_changed() {
    let world = World::new().await;
    world.create("q.fifo", fifo()).await;
    for body in ["a", "b"] {
        world.send("q.fifo", of_group("g", body)).await;
    }
    let attempt = |name: &str| Receive {
        limit: 10,
        attempt: Some(name.into()),
        ..Receive::default()
    };
    let first = world.queues.receive("q.fifo", attempt("1")).await.unwrap();
    assert_eq!(first.len(), 2);
    world.pass(20);
    let again = world.queues.receive("q.fifo", attempt("1")).await.unwrap();
    assert_eq!(again, first);
    // The second answer began the time in flight anew.
    world.pass(20);
    assert!(world.receive("q.fifo", 1).await.is_empty());
    world.delete("q.fifo", first[0].receipt).await;
    assert!(
        world
            .queues
            .receive("q.fifo", attempt("1"))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_receive_waits_for_a_message_and_for_one_that_comes_back() {
    let world = World::new().await;
    world.create("q", Settings::default()).await;
    let wait = Receive {
        limit: 1,
        wait: Some(Duration::from_secs(20)),
        ..Receive::default()
    };
    let (received, _) = tokio::join!(world.queues.receive("q", wait.clone()), async {
        tokio::task::yield_now().await;
        world.send("q", text("a")).await
    });
    assert_eq!(received.unwrap().len(), 1);
    let queues = world.queues.clone();
    let waiting = tokio::spawn({
        let wait = wait.clone();
        async move { queues.receive("q", wait).await.unwrap().len() }
    });
    while !waiting.is_finished() {
        tokio::task::yield_now().await;
        world.pass(10);
    }
    // It came after 20 or 30 seconds: the wait's end and the message's time were both passed by then.
    assert!(waiting.await.unwrap() <= 1);
    let queues = world.queues.clone();
    let waiting = tokio::spawn(async move { queues.receive("q", wait).await });
    tokio::task::yield_now().await;
    world.queues.close().await;
    assert!(waiting.await.unwrap().unwrap().len() <= 1);
}

#[tokio::test]
async fn the_changes_are_trimmed_though_an_old_message_stays() {
    use headwater_log::ShardLog;
    use headwater_types::kept::ShardSpace;
    let mut world = World::new().await;
    let settings = Settings {
        visibility_s: 43_200,
        ..Settings::default()
    };
    world.create("q", settings).await;
    world.send("q", text("old")).await;
    world.receive("q", 1).await;
    for _ in 0..300 {
        let messages = (0..20).map(|i| text(&i.to_string()));
        world.queues.send("q", messages.collect()).await.unwrap();
        for _ in 0..2 {
            let received = world.receive("q", 10).await;
            let receipts = received.iter().map(|r| (r.receipt, Settle::Delete));
            world.queues.settle("q", receipts.collect()).await.unwrap();
        }
        world.pass(1);
    }
    let shard = headwater_log::ShardNumber::new(ShardSpace::Messages, 1);
    let state = world.log.state(shard).await.unwrap();
    assert!(state.first > 0, "{state:?}");
    world.reopen().await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 1, 0));
    world.pass(43_200);
    assert_eq!(world.bodies("q", 10).await, ["old"]);
}

#[tokio::test]
async fn a_longer_retention_holds_at_once() {
    let world = World::new().await;
    let settings = Settings {
        retention_s: 60,
        ..Settings::default()
    };
    world.create("q", settings).await;
    world.send("q", text("a")).await;
    world.pass(50);
    let longer = |record: &mut headwater_messages::QueueRecord| {
        record.settings.retention_s = 1000;
        Ok::<(), Error>(())
    };
    world.queues.alter("q", true, longer).await.unwrap();
    world.pass(500);
    assert_eq!(world.bodies("q", 1).await, ["a"]);
    world.pass(501);
    assert!(world.bodies("q", 1).await.is_empty());
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 0, 0));
}

#[tokio::test]
async fn a_deleted_queue_is_gone_and_one_of_its_name_is_empty() {
    let mut world = World::new().await;
    world.create("q", Settings::default()).await;
    world.send("q", text("a")).await;
    world.queues.delete("q").await.unwrap();
    let gone = Err(Error::NoQueue("q".into()));
    assert_eq!(world.queues.depth("q").await, gone);
    assert_eq!(
        world.queues.send("q", vec![text("b")]).await.unwrap_err(),
        Error::NoQueue("q".into())
    );
    world.create("q", Settings::default()).await;
    world.reopen().await;
    assert_eq!(world.queues.depth("q").await.unwrap(), depth(0, 0, 0));
}

#[tokio::test]
async fn those_that_wait_are_told_when_nothing_can_be_written() {
    let world = World::new().await;
    world.create("q", Settings::default()).await;
    world.send("q", text("a")).await;
    let wait = Receive {
        limit: 1,
        wait: Some(Duration::from_secs(20)),
        ..Receive::default()
    };
    world.disk.stop_at(world.disk.steps());
    let (first, second) = tokio::join!(
        world.queues.receive("q", wait.clone()),
        world.queues.receive("q", wait)
    );
    assert!(matches!(first, Err(Error::Log(_))), "{first:?}");
    assert!(second.is_err(), "{second:?}");
}
