//! Who follows groups, over a disk whose power goes: subscribers get every event at least once and in order, counts have
//! each event once.
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{
    collections::{BTreeMap, HashMap},
    io::Read,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::read::GzDecoder;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Env, ManualClock, SimDisk};
use headwater_log::{Append, EmbeddedLog, NewRecord, Options, ShardLog, ShardNumber};
use headwater_loggroups::{
    Destination, Distribution, Error, LogGroups, NewEvent, NewSubscription, Transformation,
    ports::{CountError, Counted, Counts, Destinations, Note, SendError},
};
use headwater_types::{Arn, Millis, kept::ShardSpace};
use serde_json::Value;

const START: Millis = Millis(1_514_851_200_000);
const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
/// The shard of the store of metrics in these tests.
const COUNTS: ShardNumber = ShardNumber::new(ShardSpace::Topics, 0);

/// A stream of records that fails now and then.
#[derive(Default)]
struct Stream {
    messages: Mutex<Vec<Value>>,
    calls: Mutex<usize>,
    /// Whether it takes nothing.
    is_away: Mutex<bool>,
}

#[async_trait]
impl Destinations for Stream {
    async fn admits(&self, _: &Arn, _: &str) -> Result<(), SendError> {
        Ok(())
    }

    async fn invoke(&self, _: &Arn, _: &str, _: Bytes) -> Result<(), SendError> {
        Ok(())
    }

    async fn put(&self, _: &Arn, _: &str, data: Bytes) -> Result<(), SendError> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        if *self.is_away.lock().unwrap() || calls.is_multiple_of(5) {
            return Err(SendError::Failed("it is away".to_owned()));
        }
        let mut text = String::new();
        GzDecoder::new(&*data).read_to_string(&mut text).unwrap();
        let message = serde_json::from_str(&text).unwrap();
        self.messages.lock().unwrap().push(message);
        Ok(())
    }

    async fn deliver(&self, _: &Arn, _: Bytes) -> Result<(), SendError> {
        Ok(())
    }
}

impl Stream {
    /// The texts of a log stream, each where it came first.
    fn texts(&self, stream: &str) -> Vec<String> {
        let mut texts = Vec::new();
        for message in &*self.messages.lock().unwrap() {
            if message["logStream"] == stream {
                for event in message["logEvents"].as_array().unwrap() {
                    let text = event["message"].as_str().unwrap().to_owned();
                    if !texts.contains(&text) {
                        texts.push(text);
                    }
                }
            }
        }
        texts
    }
}

/// A store of metrics in a shard of the log.
struct Store(Arc<dyn ShardLog>);

#[async_trait]
impl Counts for Store {
    async fn add(&self, values: Vec<Counted>, note: Note) -> Result<(), CountError> {
        let line = |counted: &Counted| {
            let Counted {
                name, at, values, ..
            } = counted;
            serde_json::to_string(&(name, at, values)).unwrap()
        };
        let values: Vec<String> = values.iter().map(line).collect();
        let record = |value| NewRecord { key: b"", value };
        let records: Vec<_> = values
            .iter()
            .map(|value| record(value.as_bytes()))
            .collect();
        let notes = [record(&note.value)];
        let mut appends = vec![Append {
            shard: note.shard,
            records: &notes,
        }];
        if !records.is_empty() {
            appends.push(Append {
                shard: COUNTS,
                records: &records,
            });
        }
        let appended = self.0.append_whole(&appends).await;
        appended
            .map(drop)
            .map_err(|error| CountError::Failed(error.to_string()))
    }
}

impl Store {
    /// The sums of values by metric.
    async fn sums(&self) -> BTreeMap<String, f64> {
        let limit = headwater_log::ReadLimit {
            records: usize::MAX,
            bytes: usize::MAX,
        };
        let mut sums = BTreeMap::new();
        let mut at = 0;
        loop {
            let chunk = self.0.read(COUNTS, at, limit).await.unwrap();
            for record in &chunk.records {
                let (name, _, values): (String, Millis, Vec<(f64, f64)>) =
                    serde_json::from_slice(&record.value).unwrap();
                let sum: f64 = values.iter().map(|(value, count)| value * count).sum();
                *sums.entry(name).or_default() += sum;
            }
            at = chunk.next;
            if at >= chunk.state.end {
                return sums;
            }
        }
    }
}

struct World {
    clock: Arc<ManualClock>,
    disk: Arc<SimDisk>,
    catalog: Arc<dyn Catalog>,
    stream: Arc<Stream>,
    log: Arc<dyn ShardLog>,
    groups: LogGroups,
}

impl World {
    async fn open(
        clock: Arc<ManualClock>,
        disk: Arc<SimDisk>,
        catalog: Arc<dyn Catalog>,
        stream: Arc<Stream>,
    ) -> Self {
        let env = Env {
            clock: clock.clone(),
            disk: disk.clone(),
            ..Env::real()
        };
        let options = Options {
            maintain_every: None,
            preallocate_bytes: 64 << 10,
            ..Options::new(Path::new("/log"))
        };
        let log = EmbeddedLog::open(env.clone(), options).await.unwrap();
        let log: Arc<dyn ShardLog> = Arc::new(log);
        let retention = headwater_log::Retention {
            period: Duration::from_secs(1 << 30),
            floor: Millis::ZERO,
        };
        log.open_shards(&[COUNTS], retention).await.unwrap();
        let groups = LogGroups::open(env, catalog.clone(), log.clone())
            .await
            .unwrap();
        let delivered = groups.deliver_through("000000000000".to_owned(), stream.clone());
        delivered.await.unwrap();
        groups
            .count_into(Arc::new(Store(log.clone())))
            .await
            .unwrap();
        Self {
            clock,
            disk,
            catalog,
            stream,
            log,
            groups,
        }
    }

    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let catalog = Arc::new(MemoryCatalog::default());
        Self::open(clock, Arc::new(SimDisk::new(1)), catalog, Arc::default()).await
    }

    /// Cuts the power, and starts again.
    async fn crash(self) -> Self {
        let Self {
            clock,
            disk,
            catalog,
            stream,
            log,
            groups,
        } = self;
        disk.crash();
        drop((groups, log));
        Self::open(clock, disk, catalog, stream).await
    }

    async fn put(&self, stream: &str, texts: &[String]) {
        let now = headwater_env::Clock::now(&*self.clock);
        let event = |text: &String| NewEvent {
            time: now,
            message: text.clone(),
        };
        let events = texts.iter().map(event).collect();
        self.groups.put("g", stream, events).await.unwrap();
    }

    /// Moves the clock until `is_so`, for those who wait.
    async fn until<F: Future<Output = bool>>(&self, what: &str, is_so: impl Fn() -> F) {
        for _ in 0..100_000 {
            if is_so().await {
                return;
            }
            self.clock.advance(Duration::from_millis(100));
            // The disk's threads get their turn.
            Env::real().blocking(|| ()).await;
        }
        panic!("{what} did not happen");
    }
}

fn subscription() -> NewSubscription {
    NewSubscription {
        pattern: "-quiet".to_owned(),
        destination: Destination::Stream(STREAM.parse().unwrap()),
        role: None,
        distribution: Distribution::ByStream,
    }
}

fn transformation(name: &str, value: &str, default: Option<f64>) -> Transformation {
    Transformation {
        namespace: "n".to_owned(),
        name: name.to_owned(),
        value: value.to_owned(),
        default,
        dimensions: BTreeMap::new(),
        unit: None,
    }
}

async fn with_streams() -> World {
    let world = World::new().await;
    world.groups.create_group("g").await.unwrap();
    for stream in ["a", "b"] {
        world.groups.create_stream("g", stream).await.unwrap();
    }
    world
}

#[tokio::test]
async fn a_subscriber_gets_every_event_in_order_through_crashes() {
    let mut world = with_streams().await;
    world.put("a", &["before".to_owned()]).await;
    while world
        .groups
        .put_subscription("g", "f", subscription())
        .await
        .is_err()
    {}
    let mut expected = Vec::new();
    for round in 0..12 {
        let texts: Vec<String> = (0..7).map(|n| format!("{round} {n}")).collect();
        for stream in ["a", "b"] {
            world.put(stream, &texts).await;
            world.put(stream, &["quiet".to_owned()]).await;
        }
        expected.extend(texts);
        if round % 3 == 2 {
            world = world.crash().await;
        }
    }
    let stream = world.stream.clone();
    let all = async || stream.texts("a").len() + stream.texts("b").len() >= 2 * expected.len();
    world.until("every event", all).await;
    assert_eq!(stream.texts("a"), expected);
    assert_eq!(stream.texts("b"), expected);
    world.groups.close().await.unwrap();
}

#[tokio::test]
async fn a_destination_that_is_away_gets_what_waited_until_a_day_is_over() {
    let world = with_streams().await;
    world
        .groups
        .put_subscription("g", "f", subscription())
        .await
        .unwrap();
    *world.stream.is_away.lock().unwrap() = true;
    let calls = || *world.stream.calls.lock().unwrap();
    let before = calls();
    world.put("a", &["lost".to_owned()]).await;
    world.until("a try", async || calls() > before).await;
    let before = calls();
    world.clock.advance(Duration::from_secs(25 * 3600));
    world.until("another try", async || calls() > before).await;
    world.put("a", &["kept".to_owned()]).await;
    *world.stream.is_away.lock().unwrap() = false;
    let is_there = async || !world.stream.texts("a").is_empty();
    world.until("what waited", is_there).await;
    assert_eq!(world.stream.texts("a"), ["kept"]);
    world.groups.close().await.unwrap();
}

#[tokio::test]
async fn a_subscription_goes_with_its_group() {
    let world = with_streams().await;
    world
        .groups
        .put_subscription("g", "f", subscription())
        .await
        .unwrap();
    let put =
        world
            .groups
            .put_metric_filter("g", "m", String::new(), transformation("m", "1", None));
    put.await.unwrap();
    world.groups.delete_group("g").await.unwrap();
    assert_eq!(
        world.groups.subscriptions("g", "").await,
        Err(Error::NoGroup("g".to_owned()))
    );
    for prefix in [
        "log-subscriptions/",
        "log-subscription-progress/",
        "log-metric-filters/",
    ] {
        let left = world.catalog.scan(prefix, None, 10).await.unwrap();
        assert!(left.is_empty(), "{prefix}");
    }
    assert_eq!(world.log.shards().await.unwrap(), [COUNTS]);
    world.groups.close().await.unwrap();
}

#[tokio::test]
async fn counts_have_each_event_once_through_crashes_and_changes() {
    let mut world = with_streams().await;
    world.put("a", &["7 before".to_owned()]).await;
    let filter =
        |name: &'static str, value: &'static str| (name, value, transformation(name, value, None));
    let filters = [filter("events", "1"), filter("values", "$value")];
    for (name, _, transformation) in filters.clone() {
        let pattern = "[value, ...]".to_owned();
        let put = world
            .groups
            .put_metric_filter("g", name, pattern, transformation);
        put.await.unwrap();
    }
    let mut expected = HashMap::from([("events", 0.0), ("values", 0.0)]);
    for round in 0..12u32 {
        let texts: Vec<String> = (0..9).map(|n| format!("{n} of {round}")).collect();
        world.put("a", &texts).await;
        *expected.get_mut("events").unwrap() += 9.0;
        *expected.get_mut("values").unwrap() += 36.0;
        match round % 4 {
            3 => world = world.crash().await,
            1 => {
                // The same filter anew: what came before is counted by the one there was.
                let (name, _, transformation) = filters[0].clone();
                let pattern = "[value, ...]".to_owned();
                let put = world
                    .groups
                    .put_metric_filter("g", name, pattern, transformation);
                put.await.unwrap();
            }
            _ => {}
        }
    }
    let store = Store(world.log.clone());
    let store = &store;
    let sum = async |name: &str| store.sums().await.get(name).copied().unwrap_or_default();
    world
        .until("all counted", async || {
            sum("events").await >= expected["events"]
        })
        .await;
    for (name, expected) in expected {
        assert_eq!(sum(name).await, expected, "{name}");
    }
    world.groups.close().await.unwrap();
}

#[tokio::test]
async fn a_minute_without_a_match_counts_the_default_once() {
    let world = with_streams().await;
    let put = world.groups.put_metric_filter(
        "g",
        "f",
        "ERROR".to_owned(),
        transformation("m", "1", Some(100.0)),
    );
    put.await.unwrap();
    let store = Store(world.log.clone());
    let store = &store;
    let sum = async || store.sums().await.get("m").copied().unwrap_or_default();
    let minute = Duration::from_secs(60);
    world.put("a", &["fine".to_owned()]).await;
    world.clock.advance(minute);
    world
        .until("the default", async || sum().await == 100.0)
        .await;
    world
        .put("a", &["ERROR".to_owned(), "fine".to_owned()])
        .await;
    world.until("a match", async || sum().await == 101.0).await;
    world.clock.advance(10 * minute);
    world.put("a", &["fine".to_owned()]).await;
    world.clock.advance(minute);
    world
        .until("another default", async || sum().await == 201.0)
        .await;
    world.groups.close().await.unwrap();
}
