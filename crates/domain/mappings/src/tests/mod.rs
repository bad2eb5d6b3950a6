//! Mappings over a stream in memory, a function that a test writes, and a clock that moves when nothing else does.

mod changes;
mod faults;
mod queues;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Clock, Env, ManualClock, SeededRandom};
use headwater_reading::testing::{FakeSource, FakeSources};
use headwater_types::{Account, Arn, Millis, Region};
use parking_lot::Mutex;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    Error, LastResult, Mapping, Mappings, NewMapping, Settings, Start,
    ports::{Answer, Destinations, HandlerError, Handlers},
    tests::queues::FakeQueue,
};

const START: Millis = Millis(1_600_000_000_000);

type Function = Box<dyn FnMut(&Value) -> Result<Value, HandlerError> + Send>;

/// The world that survives a crash, and what was seen in it.
struct World {
    clock: Arc<ManualClock>,
    env: Env,
    catalog: Arc<dyn Catalog>,
    source: Arc<FakeSource>,
    function: Arc<Fake>,
    stored: Arc<Stored>,
    queue: Arc<FakeQueue>,
}

struct Fake {
    answer: Mutex<Function>,
    events: Mutex<Vec<Value>>,
    /// Taken by each call for as long as it runs.
    gate: Arc<tokio::sync::RwLock<()>>,
}

impl Fake {
    /// Holds calls up until what is returned is dropped.
    fn close(&self) -> tokio::sync::OwnedRwLockWriteGuard<()> {
        self.gate.clone().try_write_owned().unwrap()
    }
}

#[derive(Default)]
struct Stored(Mutex<Vec<(String, Value)>>);

#[async_trait]
impl Handlers for Fake {
    async fn role(&self, _: &Arn) -> Result<String, HandlerError> {
        Ok("arn:aws:iam::000000000000:role/r".into())
    }

    async fn call(&self, _: &Arn, event: Bytes) -> Result<Answer, HandlerError> {
        let event: Value = serde_json::from_slice(&event).unwrap();
        self.events.lock().push(event.clone());
        let _open = self.gate.read().await;
        let payload = (self.answer.lock())(&event)?;
        Ok(Answer {
            request_id: "request".into(),
            version: "$LATEST".into(),
            failed: payload.get("errorMessage").is_some(),
            payload: payload.to_string().into(),
        })
    }
}

#[async_trait]
impl Destinations for Stored {
    async fn store(&self, to: &Arn, name: &str, body: Bytes) -> Result<(), String> {
        if to.resource == "missing" {
            return Err("there is no bucket missing".into());
        }
        let body = serde_json::from_slice(&body).unwrap();
        self.0.lock().push((name.to_owned(), body));
        Ok(())
    }

    async fn send(&self, to: &Arn, body: String) -> Result<(), String> {
        let body = serde_json::from_str(&body).unwrap();
        self.0.lock().push((to.to_string(), body));
        Ok(())
    }
}

fn arn(service: &str, resource: &str) -> Arn {
    let (region, account) = (Region("us-east-1".into()), Account("000000000000".into()));
    Arn::new(service, &region, &account, resource)
}

fn failure() -> Value {
    json!({"errorMessage": "no", "errorType": "Error"})
}

/// The data of an event's records.
fn data(event: &Value) -> Vec<String> {
    let record = |record: &Value| {
        let data = STANDARD
            .decode(record["kinesis"]["data"].as_str().unwrap())
            .unwrap();
        String::from_utf8(data).unwrap()
    };
    event["Records"]
        .as_array()
        .unwrap()
        .iter()
        .map(record)
        .collect()
}

impl World {
    fn new(
        shards: usize,
        answer: impl FnMut(&Value) -> Result<Value, HandlerError> + Send + 'static,
    ) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(7)),
            ..Env::real()
        };
        Self {
            clock: clock.clone(),
            env,
            catalog: Arc::new(MemoryCatalog::default()),
            source: FakeSource::new(shards),
            function: Arc::new(Fake {
                answer: Mutex::new(Box::new(answer)),
                events: Mutex::default(),
                gate: Arc::default(),
            }),
            stored: Arc::default(),
            queue: FakeQueue::new(clock),
        }
    }

    async fn open(&self) -> Arc<Mappings> {
        Mappings::open(
            self.env.clone(),
            self.catalog.clone(),
            Arc::new(FakeSources(self.source.clone())),
            self.queue.clone(),
            self.function.clone(),
            self.stored.clone(),
        )
        .await
        .unwrap()
    }

    async fn create(&self, mappings: &Arc<Mappings>, settings: Settings) -> Mapping {
        mappings.create(new(settings)).await.unwrap()
    }

    /// Lets everything run until `is_so`, and the clock move while nothing happens.
    async fn until(&self, mut is_so: impl FnMut() -> bool) {
        for turn in 0..5_000_000 {
            if is_so() {
                return;
            }
            tokio::task::yield_now().await;
            if turn % 64 == 63 {
                self.clock.advance(Duration::from_millis(50));
            }
        }
        panic!("it does not come to that");
    }

    /// Lets everything run for a while of the clock.
    async fn pass(&self, time: Duration) {
        let end = self.clock.elapsed() + time;
        self.until(|| self.clock.elapsed() >= end).await;
    }

    fn put(&self, shard: usize, data: &str) {
        self.source.put(shard, data.to_owned(), self.clock.now());
    }

    fn called_with(&self) -> Vec<Vec<String>> {
        self.function.events.lock().iter().map(data).collect()
    }
}

fn new(settings: Settings) -> NewMapping {
    NewMapping {
        function: arn("lambda", "function:f"),
        source: arn("kinesis", "stream/s"),
        stream: arn("kinesis", "stream/s"),
        start: Some(Start::TrimHorizon),
        settings,
        enabled: true,
        tags: BTreeMap::new(),
    }
}

fn batches_of(batch_size: u32) -> Settings {
    Settings {
        batch_size,
        ..Settings::default()
    }
}

#[tokio::test]
async fn an_event_has_the_form_of_aws() {
    let world = World::new(1, |_| Ok(Value::Null));
    world
        .source
        .put_keyed(0, "key \"1\"", "hello", Millis(1_600_000_000_120));
    let mappings = world.open().await;
    let mapping = world.create(&mappings, batches_of(10)).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    let number = headwater_reading::testing::number(0, 0).to_string();
    assert_eq!(
        world.function.events.lock()[0],
        json!({"Records": [{
            "kinesis": {
                "kinesisSchemaVersion": "1.0",
                "partitionKey": "key \"1\"",
                "sequenceNumber": number,
                "data": "aGVsbG8=",
                "approximateArrivalTimestamp": 1_600_000_000.12,
            },
            "eventSource": "aws:kinesis",
            "eventVersion": "1.0",
            "eventID": format!("0:{number}"),
            "eventName": "aws:kinesis:record",
            "invokeIdentityArn": "arn:aws:iam::000000000000:role/r",
            "awsRegion": "us-east-1",
            "eventSourceARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        }]})
    );
    assert_eq!(mappings.last_result(&mapping.id).unwrap(), LastResult::Done);
}

#[tokio::test]
async fn batches_are_as_large_as_they_may_be_and_wait_no_longer_than_their_window() {
    let world = World::new(1, |_| Ok(Value::Null));
    for n in 0..5 {
        world.put(0, &n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        window_s: 10,
        ..batches_of(2)
    };
    world.create(&mappings, settings).await;
    world.until(|| world.called_with().len() == 2).await;
    assert_eq!(world.called_with(), [["0", "1"], ["2", "3"]]);
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(world.called_with().len(), 2);
    world.until(|| world.called_with().len() == 3).await;
    assert_eq!(world.called_with()[2], ["4"]);
}

#[tokio::test]
async fn latest_begins_with_what_comes_after_the_creation() {
    let world = World::new(1, |_| Ok(Value::Null));
    world.put(0, "before");
    let mappings = world.open().await;
    let latest = NewMapping {
        start: Some(Start::Latest),
        ..new(batches_of(10))
    };
    mappings.create(latest).await.unwrap();
    world.put(0, "after");
    world.until(|| !world.called_with().is_empty()).await;
    assert_eq!(world.called_with(), [["after"]]);
}

#[tokio::test]
async fn what_expired_before_a_mapping_was_made_is_not_missed() {
    let world = World::new(1, |_| Ok(Value::Null));
    for n in 0..3 {
        world.put(0, &n.to_string());
    }
    world.source.trim(0, 2);
    let mappings = world.open().await;
    world.create(&mappings, batches_of(10)).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(world.called_with(), [["2"]]);
    assert_eq!(mappings.metrics()[0].1.expired, 0);
}

#[tokio::test]
async fn children_come_after_their_parents_and_the_checkpoint_outlives_the_process() {
    let world = World::new(2, |_| Ok(Value::Null));
    world.put(0, "a");
    world.source.add_shard(&["0", "1"]);
    world.put(2, "c");
    let mappings = world.open().await;
    world.create(&mappings, batches_of(10)).await;
    world.until(|| world.called_with().len() == 2).await;
    assert_eq!(world.called_with(), [["a"], ["c"]]);
    mappings.close();
    world.put(2, "d");
    let mappings = world.open().await;
    world.until(|| world.called_with().len() == 3).await;
    assert_eq!(world.called_with()[2], ["d"]);
    mappings.close();
}

#[tokio::test]
async fn what_is_tried_often_enough_is_given_up_and_told_of() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, "bad");
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(1),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(10)
    };
    let mapping = world.create(&mappings, settings).await;
    world.until(|| !world.stored.0.lock().is_empty()).await;
    assert_eq!(world.called_with().len(), 2);
    let (name, told) = world.stored.0.lock()[0].clone();
    let id = &mapping.id;
    assert!(
        name.starts_with(&format!("aws/lambda/{id}/0/2020/09/13/2020-09-13T12.26.4")),
        "{name}"
    );
    let number = headwater_reading::testing::number(0, 0).to_string();
    assert_eq!(
        told["requestContext"],
        json!({
            "requestId": "request",
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "condition": "RetryAttemptsExhausted",
            "approximateInvokeCount": 2,
        })
    );
    assert_eq!(
        told["responseContext"],
        json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"})
    );
    assert_eq!(
        told["KinesisBatchInfo"],
        json!({
            "shardId": "0",
            "startSequenceNumber": number,
            "endSequenceNumber": number,
            "approximateArrivalOfFirstRecord": "2020-09-13T12:26:40.000Z",
            "approximateArrivalOfLastRecord": "2020-09-13T12:26:40.000Z",
            "batchSize": 1,
            "streamArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        })
    );
    assert_eq!(data(&told["payload"]), ["bad"]);
    world.until(|| mappings.metrics()[0].1.given_up == 1).await;
    let problem = LastResult::Problem("Function call failed".into());
    assert_eq!(mappings.last_result(id).unwrap(), problem);
}

#[tokio::test]
async fn halves_find_the_record_that_fails() {
    let world = World::new(1, |event| {
        let is_bad = data(event).contains(&"5".to_owned());
        Ok(if is_bad { failure() } else { Value::Null })
    });
    for n in 0..8 {
        world.put(0, &n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        bisect: true,
        retries: Some(0),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(8)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 7).await;
    let told = world.stored.0.lock().clone();
    assert_eq!(told.len(), 1);
    assert_eq!(data(&told[0].1["payload"]), ["5"]);
    let done: Vec<_> = world
        .called_with()
        .into_iter()
        .filter(|batch| !batch.contains(&"5".to_owned()))
        .collect();
    assert_eq!(done.concat(), ["0", "1", "2", "3", "4", "6", "7"]);
}

#[tokio::test]
async fn a_partial_failure_goes_on_from_the_record_that_failed() {
    let mut calls = 0;
    let world = World::new(1, move |event| {
        calls += 1;
        let failed = match calls {
            1 => &event["Records"][2],
            2 => &event["Records"][0],
            _ => return Ok(json!({"batchItemFailures": []})),
        };
        let number = &failed["kinesis"]["sequenceNumber"];
        Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
    });
    for n in 0..4 {
        world.put(0, &n.to_string());
    }
    let mappings = world.open().await;
    let settings = Settings {
        item_failures: true,
        ..batches_of(10)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 4).await;
    assert_eq!(
        world.called_with(),
        [vec!["0", "1", "2", "3"], vec!["2", "3"], vec!["2", "3"]]
    );
}

#[tokio::test]
async fn records_that_are_too_old_are_told_of_and_the_rest_is_called_with() {
    let world = World::new(1, |_| Ok(Value::Null));
    world
        .source
        .put(0, "old", START.minus(Duration::from_secs(61)));
    world.put(0, "new");
    let mappings = world.open().await;
    let settings = Settings {
        age_s: Some(60),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(10)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(world.called_with(), [["new"]]);
    let told = world.stored.0.lock()[0].1.clone();
    assert_eq!(told["requestContext"]["condition"], "RecordAgeExceeded");
    assert_eq!(told["requestContext"]["approximateInvokeCount"], 1);
    assert!(told.get("responseContext").is_none());
    assert_eq!(data(&told["payload"]), ["old"]);
}

#[tokio::test]
async fn filters_pass_over_what_does_not_match() {
    let world = World::new(1, |_| Ok(Value::Null));
    for n in 0..30_000 {
        world.put(
            0,
            if n % 10_000 == 9_999 {
                r#"{"kind": "yes"}"#
            } else {
                "no"
            },
        );
    }
    let mappings = world.open().await;
    let settings = Settings {
        filters: vec![r#"{"data": {"kind": ["yes"]}}"#.into()],
        ..batches_of(2)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 3).await;
    assert_eq!(world.called_with().concat().len(), 3);
}

#[tokio::test]
async fn a_throttled_function_is_waited_for_and_no_try_is_counted() {
    let mut calls = 0;
    let world = World::new(1, move |_| {
        calls += 1;
        if calls < 5 {
            Err(HandlerError::Throttled)
        } else {
            Ok(Value::Null)
        }
    });
    world.put(0, "a");
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(0),
        ..batches_of(1)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(mappings.metrics()[0].1.given_up, 0);
}

#[tokio::test]
async fn lanes_keep_the_order_of_each_key() {
    let world = World::new(1, |_| Ok(Value::Null));
    for n in 0..400 {
        let key = format!("k{}", n % 7);
        world.source.put_keyed(0, &key, format!("{key}:{n}"), START);
    }
    let mappings = world.open().await;
    let settings = Settings {
        lanes: 4,
        ..batches_of(5)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 400).await;
    let mut by_key: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for record in world.called_with().concat() {
        let (key, n) = record.split_once(':').unwrap();
        by_key
            .entry(key.into())
            .or_default()
            .push(n.parse().unwrap());
    }
    assert_eq!(by_key.values().map(Vec::len).sum::<usize>(), 400);
    assert!(by_key.values().all(|numbers| numbers.is_sorted()));
}

/// A function that sums, and keeps its sum in the window's state.
fn summing(
    sums: Arc<Mutex<BTreeMap<String, u64>>>,
) -> impl FnMut(&Value) -> Result<Value, HandlerError> {
    move |event| {
        let numbers = data(event)
            .into_iter()
            .map(|text| text.parse::<u64>().unwrap());
        let sum = event["state"]["sum"].as_u64().unwrap_or(0) + numbers.sum::<u64>();
        if event["isFinalInvokeForWindow"] == true {
            let window = event["window"]["start"].as_str().unwrap().to_owned();
            *sums.lock().entry(window).or_default() += sum;
        }
        Ok(json!({"state": {"sum": sum}}))
    }
}

#[tokio::test]
async fn windows_end_with_a_last_call_that_has_the_state() {
    let sums = Arc::default();
    let world = World::new(1, summing(Arc::clone(&sums)));
    for n in 0..10_u64 {
        let arrival = START.plus(Duration::from_secs(n));
        world.source.put(0, n.to_string(), arrival);
    }
    let mappings = world.open().await;
    let settings = Settings {
        tumbling_s: Some(4),
        ..batches_of(3)
    };
    world.create(&mappings, settings).await;
    world.until(|| sums.lock().len() == 3).await;
    let sums: Vec<_> = sums.lock().clone().into_iter().collect();
    let expected = [
        ("2020-09-13T12:26:40Z", 6),
        ("2020-09-13T12:26:44Z", 22),
        ("2020-09-13T12:26:48Z", 17),
    ];
    assert_eq!(sums, expected.map(|(window, sum)| (window.to_owned(), sum)));
}

#[tokio::test]
async fn a_window_does_not_wait_for_a_longer_batching_window() {
    let sums = Arc::default();
    let world = World::new(1, summing(Arc::clone(&sums)));
    world.put(0, "7");
    let mappings = world.open().await;
    let settings = Settings {
        tumbling_s: Some(4),
        window_s: 300,
        ..batches_of(100)
    };
    world.create(&mappings, settings).await;
    world.pass(Duration::from_secs(6)).await;
    assert_eq!(sums.lock().values().collect::<Vec<_>>(), [&7]);
}

#[tokio::test]
async fn a_filter_that_is_dropped_meanwhile_finds_no_more_than_there_is_room_for() {
    let mut calls = 0;
    let world = World::new(1, move |_| {
        calls += 1;
        Ok(if calls == 1 { failure() } else { Value::Null })
    });
    world.put(0, "yes");
    for _ in 0..20 {
        world.source.put(0, vec![b'x'; 1 << 20], START);
    }
    world.put(0, "yes");
    let mappings = world.open().await;
    let settings = Settings {
        filters: vec![r#"{"data": ["yes"]}"#.into()],
        ..batches_of(100)
    };
    let id = world.create(&mappings, settings).await.id;
    world.until(|| world.called_with().len() == 1).await;
    let change = |mapping: &mut Mapping| {
        mapping.settings.filters.clear();
        Ok(())
    };
    mappings.update(&id, change).await.unwrap();
    world.until(|| mappings.metrics()[0].1.records == 22).await;
    let largest = world
        .called_with()
        .iter()
        .map(|batch| batch.concat().len())
        .max();
    assert!(largest.unwrap() < 8 << 20);
}

#[tokio::test]
async fn a_source_has_one_mapping_to_a_function_and_deletion_leaves_nothing() {
    let world = World::new(2, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let mapping = world.create(&mappings, batches_of(1)).await;
    let Err(Error::Exists(id)) = mappings.create(new(batches_of(2))).await else {
        panic!("it was made");
    };
    assert_eq!(id, mapping.id);
    world.put(0, "a");
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    mappings.delete(&id).await.unwrap();
    assert_eq!(mappings.get(&id), Err(Error::NotFound(id.clone())));
    world.pass(Duration::from_secs(1)).await;
    assert!(
        world
            .catalog
            .scan("mappings/", None, 10)
            .await
            .unwrap()
            .is_empty()
    );
    world.create(&mappings, batches_of(1)).await;
}

#[tokio::test]
async fn a_mapping_rests_when_told_and_goes_on_where_it_was() {
    let world = World::new(1, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let id = world.create(&mappings, batches_of(1)).await.id;
    world.put(0, "a");
    world.until(|| world.called_with().len() == 1).await;
    let set = |enabled| {
        move |mapping: &mut Mapping| {
            mapping.enabled = enabled;
            Ok(())
        }
    };
    mappings.update(&id, set(false)).await.unwrap();
    world.until(|| !mappings.is_working(&id).unwrap()).await;
    world.put(0, "b");
    world.pass(Duration::from_secs(20)).await;
    assert_eq!(world.called_with().len(), 1);
    mappings.update(&id, set(true)).await.unwrap();
    world.until(|| world.called_with().len() == 2).await;
    assert_eq!(world.called_with(), [["a"], ["b"]]);
}

#[tokio::test]
async fn a_mapping_that_rests_and_works_again_amid_a_call_goes_on_everywhere() {
    let world = World::new(2, |_| Ok(Value::Null));
    let mappings = world.open().await;
    let id = world.create(&mappings, batches_of(1)).await.id;
    world.pass(Duration::from_secs(1)).await;
    let gate = world.function.close();
    world.put(0, "held");
    world.until(|| world.called_with().len() == 1).await;
    for change in [
        |mapping: &mut Mapping| mapping.enabled = false,
        |mapping: &mut Mapping| mapping.enabled = true,
        |mapping: &mut Mapping| mapping.settings.lanes = 2,
        |mapping: &mut Mapping| mapping.settings.lanes = 1,
    ] {
        let change = move |mapping: &mut Mapping| {
            change(mapping);
            Ok(())
        };
        mappings.update(&id, change).await.unwrap();
        world.pass(Duration::from_millis(500)).await;
    }
    drop(gate);
    world.put(1, "other");
    world.source.add_shard(&["0"]);
    world.put(2, "child");
    world.until(|| mappings.metrics()[0].1.records == 3).await;
    let called: Vec<_> = world.called_with().concat();
    assert_eq!(called.iter().filter(|name| *name == "held").count(), 1);
}

#[tokio::test]
async fn a_destination_that_is_not_there_is_waited_for_and_can_be_changed() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, "bad");
    let mappings = world.open().await;
    let settings = Settings {
        retries: Some(0),
        on_failure: Some(arn("s3", "missing")),
        ..batches_of(1)
    };
    let id = world.create(&mappings, settings).await.id;
    let is_waiting = || matches!(mappings.last_result(&id), Ok(LastResult::Problem(text)) if text.contains("no bucket"));
    world.until(is_waiting).await;
    assert_eq!(mappings.metrics()[0].1.blocked, 1);
    let change = |mapping: &mut Mapping| {
        mapping.settings.on_failure = Some(arn("s3", "bucket"));
        Ok(())
    };
    mappings.update(&id, change).await.unwrap();
    world.until(|| mappings.metrics()[0].1.given_up == 1).await;
    assert_eq!(world.called_with().len(), 1);
}

#[tokio::test]
async fn windows_become_lanes_and_lanes_windows() {
    let sums = Arc::default();
    let world = World::new(1, summing(Arc::clone(&sums)));
    for n in 0..8 {
        world.source.put_keyed(0, &format!("k{n}"), "1", START);
    }
    let mappings = world.open().await;
    let windows = Settings {
        tumbling_s: Some(600),
        ..batches_of(3)
    };
    let id = world.create(&mappings, windows.clone()).await.id;
    world.until(|| mappings.metrics()[0].1.records == 8).await;
    let lanes = Settings {
        lanes: 4,
        ..batches_of(3)
    };
    for (settings, number) in [(lanes, 16), (windows, 24)] {
        let change = move |mapping: &mut Mapping| {
            mapping.settings = settings.clone();
            Ok(())
        };
        mappings.update(&id, change).await.unwrap();
        for n in 0..8 {
            world
                .source
                .put_keyed(0, &format!("k{n}"), "1", world.clock.now());
        }
        world
            .until(|| mappings.metrics()[0].1.records == number)
            .await;
    }
    let finals = world
        .function
        .events
        .lock()
        .iter()
        .filter(|event| event["isFinalInvokeForWindow"] == true)
        .count();
    assert_eq!((finals, sums.lock().values().sum::<u64>()), (1, 8));
}

#[tokio::test]
async fn an_answer_without_a_state_is_a_failure_of_its_window() {
    let mut calls = 0;
    let world = World::new(1, move |_| {
        calls += 1;
        Ok(if calls == 1 {
            json!({})
        } else {
            json!({"state": {}})
        })
    });
    world.put(0, "1");
    let mappings = world.open().await;
    let settings = Settings {
        tumbling_s: Some(60),
        ..batches_of(1)
    };
    world.create(&mappings, settings).await;
    world.until(|| mappings.metrics()[0].1.records == 1).await;
    assert_eq!(world.called_with(), [["1"], ["1"]]);
}

#[tokio::test]
async fn a_change_reaches_a_batch_that_is_tried_without_end() {
    let world = World::new(1, |_| Ok(failure()));
    world.put(0, "bad");
    let mappings = world.open().await;
    let id = world.create(&mappings, batches_of(1)).await.id;
    world.until(|| world.called_with().len() == 4).await;
    assert_eq!(mappings.metrics()[0].1.blocked, 1);
    let trouble = mappings.trouble(&id).unwrap();
    let called = world.function.events.lock()[0]["Records"][0].clone();
    let number = called["kinesis"]["sequenceNumber"].as_str();
    assert_eq!(trouble.record.as_deref(), number);
    let id_of_event = called["eventID"].as_str().unwrap();
    assert!(id_of_event.starts_with(&trouble.shard.unwrap()));
    assert!(
        trouble.since < world.clock.now(),
        "it began with the first try"
    );
    let change = |mapping: &mut Mapping| {
        mapping.settings.retries = Some(3);
        Ok(())
    };
    mappings.update(&id, change).await.unwrap();
    world.until(|| mappings.metrics()[0].1.given_up == 1).await;
    world.until(|| mappings.metrics()[0].1.blocked == 0).await;
    assert_eq!(mappings.trouble(&id), None);
}

/// What is done to a mapping while it works.
#[derive(Debug, Clone)]
enum Action {
    Put(u8, u8),
    Crash,
    Split,
    Run(u8),
    Lanes(u32),
    Rest,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        6 => (0..2_u8, 0..4_u8).prop_map(|(shard, key)| Action::Put(shard, key)),
        1 => Just(Action::Crash),
        1 => Just(Action::Split),
        3 => (1..40_u8).prop_map(Action::Run),
        1 => (1..4_u32).prop_map(Action::Lanes),
        1 => Just(Action::Rest),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever fails and dies: each record is done or told of, and those of one key are done in their order.
    #[test]
    fn every_record_is_done_or_told_of(
        actions in prop::collection::vec(action(), 1..60),
        bisect: bool,
        item_failures: bool,
        seed: u32,
        batch_size in 1..6_u32,
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(every_record(actions, bisect, item_failures, seed, batch_size));
    }
}

/// A function that answers by chance: it fails, names a record that failed, or does all. What it did, it writes down.
fn moody(
    mut seed: u32,
    item_failures: bool,
    done: Arc<Mutex<Vec<String>>>,
) -> impl FnMut(&Value) -> Result<Value, HandlerError> {
    move |event| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (records, names) = (&event["Records"], data(event));
        let mut done = done.lock();
        match (seed >> 16) % 5 {
            0 => Ok(failure()),
            1 => Err(HandlerError::Throttled),
            2 if item_failures => {
                let at = (seed >> 8) as usize % names.len();
                done.extend_from_slice(&names[..at]);
                let number = &records[at]["kinesis"]["sequenceNumber"];
                Ok(json!({"batchItemFailures": [{"itemIdentifier": number}]}))
            }
            _ => {
                done.extend(names);
                Ok(Value::Null)
            }
        }
    }
}

async fn every_record(
    actions: Vec<Action>,
    bisect: bool,
    item_failures: bool,
    seed: u32,
    batch_size: u32,
) {
    let done = Arc::default();
    let world = World::new(2, moody(seed, item_failures, Arc::clone(&done)));
    let mut mappings = world.open().await;
    let settings = Settings {
        bisect,
        item_failures,
        retries: Some(2),
        on_failure: Some(arn("s3", "bucket")),
        ..batches_of(batch_size)
    };
    let id = world.create(&mappings, settings).await.id;
    let (mut put, mut open) = (Vec::new(), vec![0, 1]);
    let mut shards = 2;
    for action in actions {
        match action {
            Action::Put(shard, key) => {
                let shard = open[shard as usize % open.len()];
                let name = format!("{shard}/{key}:{}", put.len());
                world
                    .source
                    .put_keyed(shard, &format!("{key}"), name.clone(), world.clock.now());
                put.push(name);
            }
            Action::Crash => {
                mappings.close();
                mappings = world.open().await;
            }
            Action::Split => {
                let parent = open.remove(0);
                world.source.add_shard(&[&parent.to_string()]);
                open.push(shards);
                shards += 1;
            }
            Action::Run(turns) => {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                world.clock.advance(Duration::from_millis(100));
            }
            Action::Lanes(lanes) => {
                let change = move |mapping: &mut Mapping| {
                    mapping.settings.lanes = lanes;
                    Ok(())
                };
                mappings.update(&id, change).await.unwrap();
            }
            Action::Rest => {
                for enabled in [false, true] {
                    let change = move |mapping: &mut Mapping| {
                        mapping.enabled = enabled;
                        Ok(())
                    };
                    mappings.update(&id, change).await.unwrap();
                }
            }
        }
    }
    let told = || {
        let stored = world.stored.0.lock();
        stored
            .iter()
            .flat_map(|(_, told)| data(&told["payload"]))
            .collect::<BTreeSet<_>>()
    };
    let all: BTreeSet<_> = put.iter().cloned().collect();
    world
        .until(|| {
            let done: BTreeSet<_> = done.lock().iter().cloned().collect();
            done.union(&told()).count() == all.len()
        })
        .await;
    assert_in_order(&done.lock());
}

/// For each key of a shard, what is done for the first time is done in its order.
fn assert_in_order(done: &[String]) {
    let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for name in done {
        if !seen.insert(name) {
            continue;
        }
        let (key, n) = name.split_once(':').unwrap();
        let n: u32 = n.parse().unwrap();
        let newest = newest.entry(key).or_default();
        assert!(n >= *newest, "{name} was done after {key}:{newest}");
        *newest = n;
    }
}
