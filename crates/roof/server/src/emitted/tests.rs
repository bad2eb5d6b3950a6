//! What a place emits, through kills and jumps of the time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Env, ManualClock, SeededRandom, SimDisk};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_metrics::{Metric, Metrics, Query, Summary, Unit};
use headwater_streams::{NewStream, PutEntry, ShardMetric, Start, Stream, Streams};
use headwater_types::{HashKey, Millis, ShardIndex};

use super::{Emits, Emitter, begin, streams::EmitStreams};

const START: Millis = Millis(1_700_000_000_000);

/// A place with streams and the store, on a disk that loses what was not synced.
struct World {
    clock: Arc<ManualClock>,
    env: Env,
    disk: SimDisk,
    catalog: Arc<MemoryCatalog>,
    log: Arc<dyn ShardLog>,
    streams: Arc<Streams>,
    metrics: Arc<Metrics>,
    emitter: Emitter,
}

impl World {
    async fn new() -> Self {
        let (clock, disk) = (Arc::new(ManualClock::at(START)), SimDisk::new(1));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        Self::open(clock, env, disk, Arc::default()).await
    }

    async fn open(
        clock: Arc<ManualClock>,
        env: Env,
        disk: SimDisk,
        catalog: Arc<MemoryCatalog>,
    ) -> Self {
        let options = headwater_log::Options {
            maintain_every: None,
            preallocate_bytes: 64 << 10,
            ..headwater_log::Options::new("/log")
        };
        let log = EmbeddedLog::open(env.clone(), options).await.unwrap();
        let log: Arc<dyn ShardLog> = Arc::new(log);
        let stored: Arc<dyn Catalog> = catalog.clone();
        let options = headwater_streams::Options {
            limits: false,
            ..Default::default()
        };
        let streams = Streams::open(env.clone(), log.clone(), stored.clone(), options);
        let streams = streams.await.unwrap();
        let options = headwater_metrics::Options {
            dir: "/metrics".into(),
        };
        let metrics = Metrics::open(env.clone(), stored, log.clone(), options);
        let metrics = metrics.await.unwrap();
        begin(&env, &metrics).await.unwrap();
        let sources: Vec<Arc<dyn Emits>> = vec![Arc::new(EmitStreams(streams.clone()))];
        let emitter = Emitter::start(&env, log.clone(), metrics.clone(), sources);
        Self {
            clock,
            env,
            disk,
            catalog,
            log,
            streams,
            metrics,
            emitter,
        }
    }

    /// Ends as a process that is killed does; the time goes on before the next start.
    async fn kill(self, pause: Duration) -> Self {
        let Self {
            clock,
            env,
            disk,
            catalog,
            log,
            streams,
            metrics,
            emitter,
        } = self;
        disk.crash();
        // Nothing of these reaches the disk any more.
        emitter.close().await;
        metrics.close().await;
        log.close().await;
        drop((log, streams, metrics));
        clock.advance(pause);
        Self::open(clock, env, disk, catalog).await
    }

    fn stream(&self, name: &str) -> Arc<Stream> {
        self.streams.get(&name.parse().unwrap()).unwrap()
    }

    async fn put(&self, stream: &str, count: usize, size: usize) {
        let entry = |n: usize| PutEntry {
            partition_key: format!("key{n}").into(),
            hash_key: None,
            data: vec![0; size].into(),
        };
        let stream = self.stream(stream);
        if count == 1 {
            let put = self.streams.put_one(&stream, entry(size));
            put.await.unwrap().unwrap();
            return;
        }
        let entries = (0..count).map(entry).collect();
        for put in self.streams.put(&stream, entries).await.unwrap() {
            put.unwrap();
        }
    }

    /// Moves the time, and waits until the minutes that are over then are in the store: in the last of them something
    /// was put.
    async fn pass(&self, by: Duration) {
        self.clock.advance(by);
        let over = self.clock_minute() - 1;
        while self
            .metrics
            .last_minute()
            .is_none_or(|last| last.minute() < over)
        {
            self.clock.advance(Duration::from_millis(10));
            tokio::task::yield_now().await;
        }
    }

    fn clock_minute(&self) -> u64 {
        self.env.clock.now().minute()
    }

    /// The minutes of a metric, with what each of them has.
    async fn told(
        &self,
        name: &str,
        unit: Unit,
        dimensions: &[(&str, &str)],
    ) -> Vec<(u64, Summary)> {
        let owned = dimensions.iter();
        let owned = owned.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let query = Query {
            metric: Metric::new("AWS/Kinesis", name, owned.collect()),
            unit: Some(unit),
            from: Millis::of_minute(START.minute()),
            to: self.env.clock.now().plus(Duration::from_secs(60)),
            period: 60,
        };
        let series = self.metrics.read(query).await.unwrap();
        let points = series.into_iter().flat_map(|series| series.points);
        points
            .map(|point| (point.at.minute(), point.summary))
            .collect()
    }

    /// Records and bytes of each minute as the records of a stream say, of one shard or of all.
    async fn arrived(&self, stream: &str, shard: Option<ShardIndex>) -> BTreeMap<u64, (f64, f64)> {
        let stream = self.stream(stream);
        let mut all = BTreeMap::new();
        for of in stream.shards() {
            if shard.is_some_and(|shard| shard != of.record.index) {
                continue;
            }
            let from = self.streams.resolve(&stream, of, Start::TrimHorizon).await;
            let limit = headwater_log::ReadLimit {
                records: usize::MAX,
                bytes: usize::MAX,
            };
            let read = self
                .streams
                .read_unlimited(&stream, of, from.unwrap(), limit);
            for record in read.await.unwrap().records {
                let (count, bytes) = all.entry(record.time.minute()).or_insert((0.0, 0.0));
                *count += 1.0;
                *bytes += record.bytes() as f64;
            }
        }
        all
    }

    /// Whether the sums of what arrived, of the minutes that are over, are what the records say.
    async fn check(&self, stream: &str, shard: Option<ShardIndex>) {
        let id = shard.map(|shard| shard.to_string());
        let mut dimensions = vec![("StreamName", stream)];
        dimensions.extend(id.as_deref().map(|id| ("ShardId", id)));
        let mut arrived = self.arrived(stream, shard).await;
        arrived.remove(&self.clock_minute());
        for (name, unit, of) in [
            ("IncomingRecords", Unit::Count, 0),
            ("IncomingBytes", Unit::Bytes, 1),
        ] {
            let told = self.told(name, unit, &dimensions).await;
            let told: BTreeMap<_, _> = told.into_iter().map(|(at, it)| (at, it.sum)).collect();
            let value = |(records, bytes): &(f64, f64)| [*records, *bytes][of];
            let wanted: BTreeMap<_, _> = arrived.iter().map(|(at, it)| (*at, value(it))).collect();
            assert_eq!(told, wanted, "{stream} {shard:?} {name}");
        }
    }
}

#[tokio::test]
async fn sums_are_what_arrived_through_kills_and_a_split() {
    let mut world = World::new().await;
    for stream in ["a", "b"] {
        let new = NewStream::new(stream.parse().unwrap(), 2);
        world.streams.create(new).await.unwrap();
    }
    let metrics = ShardMetric::ALL.into_iter().collect();
    let on = world.streams.monitor("a".parse().unwrap(), metrics, true);
    on.await.unwrap();
    for round in 0..6_usize {
        for n in 0..7 {
            world.put("a", n * round % 9 + 1, 10 + n).await;
            world.put("b", n + 2, round).await;
            world.clock.advance(Duration::from_secs(7));
        }
        if round == 2 {
            let split = world
                .streams
                .split("a".parse().unwrap(), ShardIndex(0), HashKey(1 << 120));
            split.await.unwrap();
        }
        world.put("b", 1, round).await;
        if round % 2 == 0 {
            world.pass(Duration::from_secs(60)).await;
        } else {
            let pause = Duration::from_secs(40 * round as u64 * round as u64);
            world = world.kill(pause).await;
        }
    }
    world.put("a", 1, 1).await;
    world.pass(Duration::from_secs(60)).await;
    world.check("a", None).await;
    world.check("b", None).await;
    let stream = world.stream("a");
    assert_eq!(stream.shards().len(), 4);
    for shard in stream.shards() {
        world.check("a", Some(shard.record.index)).await;
    }
    let none = world.told(
        "IncomingRecords",
        Unit::Count,
        &[("StreamName", "b"), ("ShardId", "shardId-000000000000")],
    );
    assert!(none.await.is_empty(), "switched on for one stream only");
}

#[tokio::test]
async fn calls_are_told_with_their_counts_and_extremes() {
    let world = World::new().await;
    let new = NewStream::new("a".parse().unwrap(), 1);
    world.streams.create(new).await.unwrap();
    world.put("a", 1, 6).await;
    world.put("a", 1, 16).await;
    world.put("a", 3, 6).await;
    let stream = world.stream("a");
    let shard = &stream.shards()[0];
    for limit in [2, 10, 10] {
        let read = world.streams.read(&stream, shard, 0, limit).await;
        read.unwrap();
    }
    let minute = world.clock_minute();
    world.pass(Duration::from_secs(60)).await;
    let set = |count, sum, min, max| Summary {
        count,
        sum,
        min,
        max,
    };
    for (name, unit, wanted) in [
        ("PutRecord.Success", Unit::Count, set(2.0, 2.0, 1.0, 1.0)),
        ("PutRecord.Bytes", Unit::Bytes, set(2.0, 31.0, 10.0, 21.0)),
        ("PutRecords.Success", Unit::Count, set(1.0, 1.0, 1.0, 1.0)),
        (
            "PutRecords.TotalRecords",
            Unit::Count,
            set(1.0, 3.0, 3.0, 3.0),
        ),
        (
            "PutRecords.SuccessfulRecords",
            Unit::Count,
            set(1.0, 3.0, 3.0, 3.0),
        ),
        (
            "PutRecords.ThrottledRecords",
            Unit::Count,
            set(1.0, 0.0, 0.0, 0.0),
        ),
        ("IncomingRecords", Unit::Count, set(3.0, 5.0, 1.0, 3.0)),
        ("GetRecords.Success", Unit::Count, set(3.0, 3.0, 1.0, 1.0)),
        ("GetRecords.Records", Unit::Count, set(3.0, 12.0, 2.0, 5.0)),
        (
            "GetRecords.Latency",
            Unit::Milliseconds,
            set(3.0, 0.0, 0.0, 0.0),
        ),
    ] {
        let told = world.told(name, unit, &[("StreamName", "a")]).await;
        assert_eq!(told, [(minute, wanted)], "{name}");
    }
}

/// Days of silence are passed over, and make no minute of their own.
#[tokio::test]
async fn a_long_jump_makes_no_empty_minutes() {
    let world = World::new().await;
    let new = NewStream::new("a".parse().unwrap(), 1);
    world.streams.create(new).await.unwrap();
    world.put("a", 2, 1).await;
    let first = world.clock_minute();
    world.clock.advance(Duration::from_secs(90 * 24 * 3600));
    while world
        .metrics
        .last_minute()
        .is_none_or(|last| last.minute() < first)
    {
        world.clock.advance(Duration::from_millis(10));
        tokio::task::yield_now().await;
    }
    assert_eq!(world.metrics.last_minute().map(Millis::minute), Some(first));
    world.put("a", 3, 1).await;
    let second = world.clock_minute();
    world.pass(Duration::from_secs(60)).await;
    let told = world.told("IncomingRecords", Unit::Count, &[("StreamName", "a")]);
    let told: Vec<_> = told.await.iter().map(|(at, it)| (*at, it.sum)).collect();
    assert_eq!(told.last(), Some(&(second, 3.0)));
    assert!(told.len() <= 2, "{told:?}");
}

/// The first minute of all is told, too, where the first server is killed in it.
#[tokio::test]
async fn a_kill_before_the_first_minute_ends_loses_nothing_that_arrived() {
    let world = World::new().await;
    let new = NewStream::new("a".parse().unwrap(), 1);
    world.streams.create(new).await.unwrap();
    world.put("a", 5, 6).await;
    let world = world.kill(Duration::from_secs(200)).await;
    world.put("a", 1, 6).await;
    world.pass(Duration::from_secs(60)).await;
    world.check("a", None).await;
}

/// What was counted when a server stops is told, and the minute goes on after its next start.
#[tokio::test]
async fn a_stop_within_a_minute_loses_nothing() {
    let world = World::new().await;
    let new = NewStream::new("a".parse().unwrap(), 1);
    world.streams.create(new).await.unwrap();
    world.put("a", 1, 6).await;
    let minute = world.clock_minute();
    world.emitter.close().await;
    let world = world.kill(Duration::from_secs(1)).await;
    world.put("a", 1, 6).await;
    world.pass(Duration::from_secs(60)).await;
    for name in ["PutRecord.Success", "IncomingRecords"] {
        let told = world.told(name, Unit::Count, &[("StreamName", "a")]).await;
        let sums: Vec<_> = told.iter().map(|(at, it)| (*at, it.sum)).collect();
        assert_eq!(sums, [(minute, 2.0)], "{name}");
    }
}
