//! Mappings of a queue in memory, which hides what was received for 30 seconds.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU32, Ordering::Relaxed},
};

use tokio::sync::Notify;

use super::*;
use crate::ports::{
    AttributeValue, Message, MessageAttribute, QueueError, QueueInfo, Queues, Taken,
};

const HIDES_FOR: Duration = Duration::from_secs(30);

/// A queue in memory.
pub(super) struct FakeQueue {
    clock: Arc<ManualClock>,
    messages: Mutex<Vec<Kept>>,
    changed: Notify,
    received: Mutex<HashMap<String, u32>>,
    sent: AtomicU32,
}

#[derive(Clone)]
struct Kept {
    message: Message,
    /// Whether only one of its kind may be out at a time.
    group: Option<String>,
    hidden_until: Duration,
}

impl FakeQueue {
    pub fn new(clock: Arc<ManualClock>) -> Arc<Self> {
        Arc::new(Self {
            clock,
            messages: Mutex::default(),
            changed: Notify::new(),
            received: Mutex::default(),
            sent: AtomicU32::new(0),
        })
    }

    fn send(&self, body: &str) {
        self.send_in(body, None);
    }

    fn send_in(&self, body: &str, group: Option<&str>) {
        let sent = self.sent.fetch_add(1, Relaxed);
        let message = Message {
            id: format!("id {sent}"),
            receipt: String::new(),
            body: body.to_owned(),
            body_md5: "hash".into(),
            sent: self.clock.now(),
            system: vec![("ApproximateReceiveCount".into(), "0".into())],
            attributes: Vec::new(),
            attributes_md5: None,
        };
        self.messages.lock().push(Kept {
            message,
            group: group.map(str::to_owned),
            hidden_until: Duration::ZERO,
        });
        self.changed.notify_waiters();
    }

    fn left(&self) -> Vec<String> {
        let messages = self.messages.lock();
        messages
            .iter()
            .map(|kept| kept.message.body.clone())
            .collect()
    }
}

/// Messages that were received.
struct InMemory(Vec<Message>);

#[async_trait]
impl Taken for InMemory {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn hidden_for(&self) -> Duration {
        HIDES_FOR
    }

    async fn read(self: Box<Self>) -> Result<Vec<Message>, QueueError> {
        Ok(self.0)
    }
}

impl FakeQueue {
    fn receive(&self, limit: usize) -> Vec<Message> {
        let now = self.clock.elapsed();
        let mut messages = self.messages.lock();
        let out = |kept: &Kept| kept.hidden_until > now;
        let held = messages.iter().filter(|kept| out(kept));
        let mut locked: BTreeSet<String> = held.filter_map(|kept| kept.group.clone()).collect();
        let mut received = Vec::new();
        for kept in messages.iter_mut() {
            let is_free = kept
                .group
                .as_ref()
                .is_none_or(|group| !locked.contains(group));
            if received.len() == limit || out(kept) || !is_free {
                continue;
            }
            locked.extend(kept.group.clone());
            kept.hidden_until = now + HIDES_FOR;
            let mut counts = self.received.lock();
            let count = counts.entry(kept.message.id.clone()).or_default();
            *count += 1;
            kept.message.receipt = format!("{} {count}", kept.message.id);
            kept.message.system[0].1 = count.to_string();
            received.push(kept.message.clone());
        }
        received
    }
}

#[async_trait]
impl Queues for FakeQueue {
    async fn describe(&self, queue: &Arn) -> Result<QueueInfo, QueueError> {
        if queue.resource == "missing" {
            return Err(QueueError::NotFound("missing".into()));
        }
        Ok(QueueInfo {
            is_fifo: false,
            hides_for: HIDES_FOR,
        })
    }

    async fn take(
        &self,
        _: &Arn,
        limit: usize,
        wait: Duration,
    ) -> Result<Box<dyn Taken>, QueueError> {
        let end = self.clock.elapsed() + wait;
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let received = self.receive(limit);
            let now = self.clock.elapsed();
            if !received.is_empty() || now >= end {
                return Ok(Box::new(InMemory(received)));
            }
            let hidden: Vec<_> = self
                .messages
                .lock()
                .iter()
                .map(|kept| kept.hidden_until)
                .collect();
            let next = hidden.into_iter().filter(|until| *until > now).min();
            tokio::select! {
                () = changed => {}
                () = self.clock.sleep(next.unwrap_or(end).min(end) - now) => {}
            }
        }
    }

    async fn delete(&self, _: &Arn, receipts: &[String]) -> Result<(), QueueError> {
        let mut messages = self.messages.lock();
        messages.retain(|kept| !receipts.contains(&kept.message.receipt));
        drop(messages);
        self.changed.notify_waiters();
        Ok(())
    }
}

fn of_queue(settings: Settings) -> NewMapping {
    NewMapping {
        source: arn("sqs", "q"),
        stream: arn("sqs", "q"),
        start: None,
        ..new(settings)
    }
}

fn bodies(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().unwrap().iter();
    records
        .map(|record| record["body"].as_str().unwrap().to_owned())
        .collect()
}

impl World {
    fn called_with_bodies(&self) -> Vec<Vec<String>> {
        self.function.events.lock().iter().map(bodies).collect()
    }
}

#[tokio::test]
async fn a_message_is_called_with_in_the_form_of_aws_and_deleted() {
    let world = World::new(0, |_| Ok(Value::Null));
    world.queue.send("a \"text\"");
    {
        let mut messages = world.queue.messages.lock();
        let message = &mut messages[0].message;
        let text = |kind: &str, value: &str| MessageAttribute {
            kind: kind.into(),
            value: AttributeValue::Text(value.into()),
        };
        let bytes = MessageAttribute {
            kind: "Binary".into(),
            value: AttributeValue::Binary(Bytes::from_static(b"\0")),
        };
        message.attributes = vec![("n".into(), text("Number", "6")), ("b".into(), bytes)];
        message.attributes_md5 = Some("other hash".into());
    }
    let mappings = world.open().await;
    mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap();
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(
        world.function.events.lock()[0],
        json!({"Records": [{
            "messageId": "id 0",
            "receiptHandle": "id 0 1",
            "body": "a \"text\"",
            "attributes": {"ApproximateReceiveCount": "1"},
            "messageAttributes": {
                "n": {"stringValue": "6", "stringListValues": [], "binaryListValues": [], "dataType": "Number"},
                "b": {"binaryValue": "AA==", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            },
            "md5OfMessageAttributes": "other hash",
            "md5OfBody": "hash",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:q",
            "awsRegion": "us-east-1",
        }]})
    );
    assert!(world.queue.left().is_empty());
}

#[tokio::test]
async fn a_batch_is_gathered_until_it_is_full_or_its_window_over() {
    let world = World::new(0, |_| Ok(Value::Null));
    for n in 0..25 {
        world.queue.send(&n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        window_s: 5,
        concurrency: Some(2),
        ..batches_of(15)
    };
    mappings.create(of_queue(settings)).await.unwrap();
    world
        .until(|| world.function.events.lock().len() == 1)
        .await;
    world.pass(Duration::from_secs(2)).await;
    world.queue.send("25");
    world.until(|| mappings.metrics()[0].1.records == 26).await;
    let sizes: Vec<_> = world.called_with_bodies().iter().map(Vec::len).collect();
    assert_eq!(sizes, [15, 11]);
    let event = world.function.events.lock()[0].clone();
    assert_eq!(event["Records"][0]["md5OfMessageAttributes"], Value::Null);
    assert!(event["Records"][0].get("md5OfMessageAttributes").is_some());
}

#[tokio::test]
async fn a_batch_has_no_more_bytes_than_functions_take() {
    let world = World::new(0, |_| Ok(Value::Null));
    for n in 0..10 {
        world.queue.send(&format!("{n}{}", "x".repeat(1 << 20)));
    }
    let mappings = world.open().await;
    mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap();
    world.until(|| mappings.metrics()[0].1.records == 10).await;
    let sizes: Vec<_> = world.called_with_bodies().iter().map(Vec::len).collect();
    assert_eq!(sizes, [5, 5]);
    assert_eq!(world.queue.received.lock().values().max(), Some(&1));
}

#[tokio::test]
async fn messages_that_are_named_come_again_and_the_others_are_deleted() {
    let world = World::new(0, |event| {
        let records = event["Records"].as_array().unwrap().iter();
        let is_bad = |record: &&Value| {
            record["body"] == "1" && record["attributes"]["ApproximateReceiveCount"] == "1"
        };
        let bad = records
            .filter(is_bad)
            .map(|record| json!({"itemIdentifier": record["messageId"]}));
        Ok(json!({"batchItemFailures": bad.collect::<Vec<_>>()}))
    });
    for n in 0..3 {
        world.queue.send(&n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        item_failures: true,
        ..Settings::of_queues()
    };
    mappings.create(of_queue(settings)).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 2).await;
    assert_eq!(world.queue.left(), ["1"]);
    let failed_at = world.clock.elapsed();
    world.until(|| mappings.metrics()[0].1.records == 3).await;
    assert!(world.clock.elapsed() - failed_at >= HIDES_FOR - Duration::from_secs(1));
    assert_eq!(world.called_with_bodies(), [vec!["0", "1", "2"], vec!["1"]]);
}

#[tokio::test]
async fn a_batch_that_fails_comes_again_when_its_time_of_hiding_is_over() {
    let mut calls = 0;
    let world = World::new(0, move |_| {
        calls += 1;
        Ok(if calls == 1 { failure() } else { Value::Null })
    });
    world.queue.send("a");
    let mappings = world.open().await;
    let id = mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap()
        .id;
    world
        .until(|| mappings.metrics()[0].1.failed_calls == 1)
        .await;
    assert_eq!(
        mappings.last_result(&id).unwrap(),
        LastResult::Problem("Function call failed".into())
    );
    world.pass(HIDES_FOR / 2).await;
    assert_eq!(world.called_with_bodies().len(), 1);
    world.until(|| world.queue.left().is_empty()).await;
    assert_eq!(
        world.function.events.lock()[1]["Records"][0]["attributes"]["ApproximateReceiveCount"],
        "2"
    );
}

#[tokio::test]
async fn messages_that_match_no_filter_are_deleted() {
    let world = World::new(0, |_| Ok(Value::Null));
    for body in [r#"{"kind": "yes"}"#, r#"{"kind": "no"}"#, "yes", "7"] {
        world.queue.send(body);
    }
    let mappings = world.open().await;
    let settings = Settings {
        filters: vec![r#"{"body": {"kind": ["yes"]}}"#.into()],
        ..Settings::of_queues()
    };
    mappings.create(of_queue(settings)).await.unwrap();
    world.until(|| world.queue.left().is_empty()).await;
    assert_eq!(world.called_with_bodies(), [[r#"{"kind": "yes"}"#]]);
}

#[tokio::test]
async fn several_batches_are_worked_on_at_once_but_no_more_than_allowed() {
    let world = World::new(0, |_| Ok(Value::Null));
    let gate = world.function.close();
    for n in 0..10 {
        world.queue.send(&n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        concurrency: Some(3),
        ..batches_of(1)
    };
    mappings.create(of_queue(settings)).await.unwrap();
    world
        .until(|| world.function.events.lock().len() == 3)
        .await;
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.function.events.lock().len(), 3);
    drop(gate);
    world.until(|| world.queue.left().is_empty()).await;
}

#[tokio::test]
async fn a_group_keeps_its_order() {
    let world = World::new(0, |_| Ok(Value::Null));
    for n in 0..40 {
        world
            .queue
            .send_in(&n.to_string(), Some(["a", "b", "c"][n % 3]));
    }
    let mappings = world.open().await;
    mappings.create(of_queue(batches_of(1))).await.unwrap();
    world.until(|| world.queue.left().is_empty()).await;
    let called: Vec<usize> = world
        .called_with_bodies()
        .concat()
        .iter()
        .map(|n| n.parse().unwrap())
        .collect();
    assert_eq!(called.len(), 40);
    for group in 0..3 {
        let of_group: Vec<_> = called.iter().filter(|n| **n % 3 == group).collect();
        assert!(of_group.is_sorted(), "{of_group:?}");
    }
}

#[tokio::test]
async fn a_function_without_room_is_waited_for_while_its_messages_are_hidden() {
    let mut calls = 0;
    let world = World::new(0, move |_| {
        calls += 1;
        if calls < 20 {
            Err(HandlerError::Throttled)
        } else {
            Ok(Value::Null)
        }
    });
    world.queue.send("a");
    let mappings = world.open().await;
    mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap();
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert!(*world.queue.received.lock().values().next().unwrap() >= 2);
    assert!(world.queue.left().is_empty());
}

#[tokio::test]
async fn a_mapping_of_a_queue_rests_goes_on_and_outlives_a_crash() {
    let world = World::new(0, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let id = mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap()
        .id;
    let set = |enabled| {
        move |mapping: &mut Mapping| {
            mapping.enabled = enabled;
            Ok(())
        }
    };
    mappings.update(&id, set(false)).await.unwrap();
    world.until(|| !mappings.is_working(&id).unwrap()).await;
    world.queue.send("a");
    world.pass(Duration::from_secs(60)).await;
    assert!(world.function.events.lock().is_empty());
    mappings.update(&id, set(true)).await.unwrap();
    world.until(|| world.queue.left().is_empty()).await;
    let gate = world.function.close();
    world.queue.send("b");
    world
        .until(|| world.function.events.lock().len() == 2)
        .await;
    mappings.close();
    drop(gate);
    world.pass(Duration::from_secs(1)).await;
    assert_eq!(world.queue.left(), ["b"]);
    let mappings = world.open().await;
    world.until(|| world.queue.left().is_empty()).await;
    assert_eq!(world.called_with_bodies(), [["a"], ["b"], ["b"]]);
    mappings.delete(&id).await.unwrap();
    world.pass(Duration::from_secs(1)).await;
    assert!(
        world
            .catalog
            .scan("mappings/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_queue_that_is_not_there_has_no_mapping() {
    let world = World::new(0, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let missing = NewMapping {
        source: arn("sqs", "missing"),
        ..of_queue(Settings::of_queues())
    };
    assert_eq!(
        mappings.create(missing).await,
        Err(Error::NoQueue("missing".into()))
    );
}

#[tokio::test]
async fn what_a_stream_gives_up_is_sent_to_a_queue_without_its_event() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, "bad");
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(0),
        on_failure: Some(arn("sqs", "dead")),
        ..batches_of(10)
    };
    world.create(&mappings, settings).await;
    world.until(|| !world.stored.0.lock().is_empty()).await;
    let (to, told) = world.stored.0.lock()[0].clone();
    assert_eq!(to, arn("sqs", "dead").to_string());
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 1);
    assert_eq!(told["KinesisBatchInfo"]["batchSize"], 1);
    assert!(told.get("payload").is_none());
}

#[tokio::test]
async fn a_batch_waits_no_longer_than_its_messages_can_be_hidden_for_a_call() {
    let world = World::new(0, |_| Ok(Value::Null));
    world.queue.send("a");
    let mappings = world.open().await;
    let settings = Settings {
        window_s: 300,
        ..batches_of(100)
    };
    mappings.create(of_queue(settings)).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert!(world.clock.elapsed() < HIDES_FOR);
    assert_eq!(world.called_with_bodies(), [["a"]]);
}

#[tokio::test]
async fn messages_have_room_as_long_as_they_are_called_with() {
    let world = World::new(0, |_| Ok(Value::Null));
    let mappings = world.open().await;
    mappings
        .create(of_queue(Settings::of_queues()))
        .await
        .unwrap();
    world.pass(Duration::from_secs(1)).await;
    let work = &mappings.world.work;
    let all = crate::limits::WORK_KIB_MAX as usize;
    assert_eq!(work.available_permits(), all);
    let gate = world.function.close();
    world.queue.send(&"x".repeat(1 << 20));
    world
        .until(|| world.function.events.lock().len() == 1)
        .await;
    let taken = all - work.available_permits();
    assert!((1024..4096).contains(&taken), "{taken}");
    drop(gate);
    world.until(|| world.queue.left().is_empty()).await;
    world.until(|| work.available_permits() == all).await;
}
