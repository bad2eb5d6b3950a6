//! What a server's own minutes cost: those of a thousand streams with five thousand shards that all have their metrics.
//!
//! `cargo bench -p headwater-metrics --bench minutes -- [--dir DIR] [--minutes N]`. It prints how long a minute takes to
//! put, how long a fold does, bytes a point on the disk (of the journal, of new files, of a whole day merged), bytes of memory a
//! series, and how long a chart of an hour takes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{
    Env, ManualClock, RealDisk, SystemClock, SystemRandom, TokioTasks, process_usage,
};
use headwater_log::{EmbeddedLog, ShardLog};
use headwater_metrics::{Datum, Metric, Metrics, Options, Query, Summary, Unit, Values};
use headwater_types::Millis;

const STREAMS: usize = 1000;
const SHARDS: usize = 5000;
const START: Millis = Millis(1_700_006_400_000);
const STREAM_METRICS: [(&str, Unit); 7] = [
    ("IncomingBytes", Unit::Bytes),
    ("IncomingRecords", Unit::Count),
    ("PutRecords.Latency", Unit::Milliseconds),
    ("PutRecords.Success", Unit::Count),
    ("GetRecords.Bytes", Unit::Bytes),
    ("GetRecords.IteratorAgeMilliseconds", Unit::Milliseconds),
    ("WriteProvisionedThroughputExceeded", Unit::Count),
];
const SHARD_METRICS: [(&str, Unit); 7] = [
    ("IncomingBytes", Unit::Bytes),
    ("IncomingRecords", Unit::Count),
    ("IteratorAgeMilliseconds", Unit::Milliseconds),
    ("OutgoingBytes", Unit::Bytes),
    ("OutgoingRecords", Unit::Count),
    ("ReadProvisionedThroughputExceeded", Unit::Count),
    ("WriteProvisionedThroughputExceeded", Unit::Count),
];

fn main() {
    let (mut dir, mut minutes) = (PathBuf::from("."), 60);
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        let value = args.next().expect("a value behind the option");
        match arg.as_str() {
            "--dir" => dir = value.into(),
            "--minutes" => minutes = value.parse().expect("a number of minutes"),
            other => panic!("no option {other}"),
        }
    }
    let dir = tempfile::tempdir_in(dir).expect("a folder to write to");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(dir.path().to_owned(), minutes));
}

fn named(name: &str, stream: usize, shard: Option<usize>) -> Metric {
    let mut dimensions = vec![(
        "StreamName".to_owned(),
        format!("a-stream-of-some-team-{stream:04}"),
    )];
    let shard = shard.map(|shard| ("ShardId".to_owned(), format!("shardId-{shard:012}")));
    dimensions.extend(shard);
    Metric::new("AWS/Kinesis", name, dimensions)
}

/// All metrics with their units.
fn metrics() -> Vec<(Metric, Unit)> {
    let streams = (0..STREAMS)
        .flat_map(|stream| STREAM_METRICS.map(|(name, unit)| (named(name, stream, None), unit)));
    let shards = (0..SHARDS).flat_map(|shard| {
        SHARD_METRICS.map(|(name, unit)| (named(name, shard % STREAMS, Some(shard)), unit))
    });
    streams.chain(shards).collect()
}

/// A number that goes up and down by chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

/// What was measured in a minute: traffic that differs by a tenth from minute to minute.
fn data(metrics: &[(Metric, Unit)], at: Millis, chance: &mut Chance) -> Vec<Datum> {
    let datum = |(metric, unit): &(Metric, Unit)| {
        let calls = (50 + chance.below(10)) as f64;
        let each = match unit {
            Unit::Bytes => 20_000 + chance.below(4_000),
            Unit::Milliseconds => 3 + chance.below(20),
            Unit::Count if metric.name.ends_with("Exceeded") => 0,
            _ => 80 + chance.below(16),
        } as f64;
        let set = Summary {
            count: calls,
            sum: calls * each,
            min: (each / 2.0).floor(),
            max: each * 2.0,
        };
        Datum {
            metric: metric.clone(),
            unit: *unit,
            at,
            is_high_resolution: false,
            values: Values::Set(set),
        }
    };
    metrics.iter().map(datum).collect()
}

fn resident() -> u64 {
    process_usage().map_or(0, |usage| usage.resident_bytes)
}

async fn run(dir: PathBuf, minutes: u64) {
    let clock = Arc::new(ManualClock::at(START));
    let real = SystemClock::default();
    let elapsed = || headwater_env::Clock::elapsed(&real);
    let env = Env {
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        disk: Arc::new(RealDisk),
        tasks: Arc::new(TokioTasks),
    };
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let log = EmbeddedLog::open(env.clone(), headwater_log::Options::new(dir.join("log"))).await;
    let log: Arc<dyn ShardLog> = Arc::new(log.expect("a log"));
    let options = Options {
        dir: dir.join("metrics"),
    };
    let (all, mut chance) = (metrics(), Chance(7));
    let before = resident();
    let store = Metrics::open(env, catalog, log.clone(), options)
        .await
        .expect("a store");
    let (mut putting, mut folding, mut folds) = (Duration::ZERO, Duration::ZERO, 0);
    let written = log.usage().await.map_or(0, |usage| usage.written_bytes);
    for minute in 0..minutes {
        let at = Millis(START.0 + minute * 60_000);
        let data = data(&all, at, &mut chance);
        let begun = elapsed();
        store.put_minute(at, data).await.expect("a minute");
        putting += elapsed() - begun;
        if minute == 0 {
            let usage = store.usage();
            println!(
                "{} series, {} bytes of names",
                usage.series, usage.series_bytes
            );
            println!(
                "memory after a minute: {} bytes a series",
                (resident() - before) / usage.series
            );
        }
        clock.advance(Duration::from_secs(60));
        if minute % 10 == 9 || minute + 1 == minutes {
            let begun = elapsed();
            store.maintain().await.expect("a fold");
            (folding, folds) = (folding + (elapsed() - begun), folds + 1);
        }
    }
    let journal = log.usage().await.map_or(0, |usage| usage.written_bytes) - written;
    let points = minutes * all.len() as u64;
    let usage = store.usage();
    println!(
        "{:?} to put a minute, {:?} a fold of ten",
        putting / minutes as u32,
        folding / folds
    );
    println!(
        "{:.1} bytes a point in the journal",
        journal as f64 / points as f64
    );
    println!(
        "{:.1} bytes a point in {} files",
        usage.file_bytes as f64 / points as f64,
        usage.files
    );
    println!("{} MiB resident, {} before", resident() >> 20, before >> 20);
    let begun = elapsed();
    for stream in 0..100 {
        let query = Query {
            metric: named("IncomingBytes", stream, None),
            unit: None,
            from: START,
            to: Millis(START.0 + minutes * 60_000),
            period: 60,
        };
        let series = store.read(query).await.expect("a chart");
        assert_eq!(series[0].points.len() as u64, minutes);
    }
    println!(
        "{:?} a chart of {minutes} minutes",
        (elapsed() - begun) / 100
    );
    store.close().await;
    log.close().await;
}
