//! How long after a put was acknowledged its records reach a subscriber, at half of what can be put.
//!
//! `cargo bench -p headwater-streams --bench fanout [-- --dir DIR]`: the folder should be on the disk in question. 16 shards,
//! each with a subscriber; 8 callers put 500 records of 1 KiB a call, synced: first as fast as they can, then at half that
//! rate. A record counts as late as the time from its call's return to its event; it may be earlier than that return.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::Env;
use headwater_log::EmbeddedLog;
use headwater_streams::{
    FanOut, NewStream, NoOtherReaders, Options, PutEntry, ShardEvent, Start, Stream, Streams,
    Subscription,
};
use headwater_types::StreamName;
use tokio::sync::mpsc;

const SHARDS: u32 = 16;
const CALLERS: u64 = 8;
const RECORDS: u64 = 500;
const BYTES: usize = 1024;
const FOR: Duration = Duration::from_secs(3);

/// A call, and a time in microseconds.
type Stamp = (u64, u64);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let dir = args
        .iter()
        .skip_while(|arg| *arg != "--dir")
        .nth(1)
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let dir = tempfile::tempdir_in(dir).expect("a folder to write to");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(run(dir.path().to_owned()));
}

async fn run(dir: PathBuf) {
    let env = Env::real();
    let log = EmbeddedLog::open(env.clone(), headwater_log::Options::new(dir)).await;
    let log = Arc::new(log.expect("a log"));
    let catalog: Arc<dyn Catalog> = Arc::new(MemoryCatalog::default());
    let options = Options {
        limits: false,
        shard_quota: 1000,
    };
    let streams = Streams::open(env.clone(), log, catalog, options)
        .await
        .expect("no streams yet");
    let name: StreamName = "fanout".parse().expect("a name");
    let stream = streams
        .create(NewStream::new(name.clone(), SHARDS))
        .await
        .expect("a stream");

    let fastest = put(&env, &streams, &stream, None).await;
    let rate = fastest.len() as f64 / FOR.as_secs_f64();
    println!(
        "fanout: at most {:.0} records/s are put",
        rate * RECORDS as f64
    );

    let consumer = streams
        .register(
            name,
            "consumer".into(),
            Default::default(),
            20,
            Arc::new(NoOtherReaders),
        )
        .await
        .expect("a consumer");
    let stream = streams.get(&stream.record.name).expect("the stream");
    let (tell, mut told) = mpsc::channel(1 << 16);
    let fan_out = FanOut::new(Arc::new);
    for shard in stream.shards() {
        let subscription = streams
            .subscribe(&stream, shard, consumer.clone(), Start::Latest, &fan_out)
            .await;
        env.spawn(listen(
            env.clone(),
            subscription.expect("a subscription"),
            tell.clone(),
        ));
    }
    drop(tell);
    let between = Duration::from_secs_f64(2.0 * CALLERS as f64 / rate);
    let putting = put(&env, &streams, &stream, Some(between));
    let receiving = async {
        let mut events = Vec::new();
        while let Some(event) = told.recv().await {
            events.push(event);
        }
        events
    };
    let closing = async {
        let acknowledged = putting.await;
        streams.end_subscriptions();
        acknowledged
    };
    let (acknowledged, events) = tokio::join!(closing, receiving);
    report(&acknowledged, &events);
}

/// Puts for some time, each caller with its calls so far apart; when each call was acknowledged.
async fn put(
    env: &Env,
    streams: &Arc<Streams>,
    stream: &Arc<Stream>,
    between: Option<Duration>,
) -> Vec<Stamp> {
    let (tell, mut told) = mpsc::channel(1 << 20);
    let start = env.clock.elapsed();
    for caller in 0..CALLERS {
        let (env, streams, stream, tell) =
            (env.clone(), streams.clone(), stream.clone(), tell.clone());
        let working = env.clone();
        env.spawn(async move {
            let mut next = working.clock.elapsed()
                + between
                    .unwrap_or_default()
                    .mul_f64(caller as f64 / CALLERS as f64);
            for call in 0.. {
                working
                    .clock
                    .sleep(next.saturating_sub(working.clock.elapsed()))
                    .await;
                if working.clock.elapsed() - start >= FOR {
                    return;
                }
                next += between.unwrap_or_default();
                let number = call * CALLERS + caller;
                let done = streams.put(&stream, entries(number)).await.expect("a put");
                assert!(done.iter().all(Result::is_ok));
                let stamp = (number, working.clock.elapsed().as_micros() as u64);
                tell.send(stamp).await.expect("somebody who counts");
            }
        });
    }
    drop(tell);
    let mut stamps = Vec::new();
    while let Some(stamp) = told.recv().await {
        stamps.push(stamp);
    }
    stamps
}

/// The records of a call: each begins with the call's number.
fn entries(call: u64) -> Vec<PutEntry> {
    let mut data = vec![0; BYTES];
    data[..8].copy_from_slice(&call.to_le_bytes());
    let data = Bytes::from(data);
    let entry = |i: u64| PutEntry {
        partition_key: Bytes::from(format!("{}", call * RECORDS + i)),
        hash_key: None,
        data: data.clone(),
    };
    (0..RECORDS).map(entry).collect()
}

/// Tells of each call of which an event has records.
async fn listen(
    env: Env,
    mut subscription: Subscription<Arc<ShardEvent>>,
    tell: mpsc::Sender<Stamp>,
) {
    while let Some(Ok(event)) = subscription.next().await {
        let now = env.clock.elapsed().as_micros() as u64;
        let mut last = None;
        for record in &event.records {
            let call = u64::from_le_bytes(record.data[..8].try_into().expect("eight bytes"));
            if last.replace(call) != Some(call) {
                tell.send((call, now)).await.expect("somebody who counts");
            }
        }
    }
}

fn report(acknowledged: &[Stamp], events: &[Stamp]) {
    let of_call: std::collections::HashMap<u64, u64> = acknowledged.iter().copied().collect();
    let late = |&(call, at): &Stamp| Some(at.saturating_sub(*of_call.get(&call)?) as f64 / 1000.0);
    let mut late: Vec<f64> = events.iter().filter_map(late).collect();
    assert!(late.len() >= acknowledged.len(), "every call was received");
    late.sort_by(f64::total_cmp);
    let quantile = |q: f64| late[((late.len() - 1) as f64 * q) as usize];
    println!(
        "  at {:.0} records/s, ms from the acknowledgement to the event: p50 {:.2}, p90 {:.2}, p99 {:.2}, p99.9 {:.2}, most {:.2}; {} parts of calls",
        acknowledged.len() as f64 * RECORDS as f64 / FOR.as_secs_f64(),
        quantile(0.5),
        quantile(0.9),
        quantile(0.99),
        quantile(0.999),
        quantile(1.0),
        late.len(),
    );
}
