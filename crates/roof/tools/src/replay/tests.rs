//! A whole replay from files into a stream in memory, in simulated time.

use std::{io::IoSlice, path::Path};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::Clock;
use headwater_producer::{Entry, Page, Placed, Position, Refused, Shard, Stream};
use headwater_types::{HashRange, Millis};
use tokio::time::Instant;

use super::*;

/// Tokio's clock, which a test's runtime lets jump.
struct TestClock(Instant);

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Millis {
        Millis(1_600_000_000_000).plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the test's clock")]
    async fn sleep(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the test's clock")]
fn env() -> Env {
    Env {
        clock: Arc::new(TestClock(Instant::now())),
        ..Env::real()
    }
}

/// A stream in memory, with the records that each shard was sent and their times.
struct Memory {
    ranges: Vec<HashRange>,
    shards: Mutex<Vec<Vec<(Duration, Bytes)>>>,
    env: Env,
    broken: bool,
}

impl Memory {
    fn new(shards: u32, env: &Env) -> Self {
        let ranges = HashRange::split_evenly(shards);
        Self {
            shards: Mutex::new(vec![Vec::new(); ranges.len()]),
            ranges,
            env: env.clone(),
            broken: false,
        }
    }
}

#[async_trait]
impl Stream for Memory {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError> {
        let place = |entry: &Entry| {
            if self.broken {
                return Err(Refused {
                    code: "InternalFailure".into(),
                    message: "broken".into(),
                });
            }
            let shard = self
                .ranges
                .iter()
                .position(|r| r.contains(entry.hash_key()))
                .unwrap();
            let mut shards = self.shards.lock();
            shards[shard].push((self.env.clock.elapsed(), entry.data.clone()));
            Ok(Placed {
                shard_id: shard.to_string(),
                sequence_number: shards[shard].len().to_string(),
            })
        };
        Ok(entries.iter().map(place).collect())
    }

    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        let shard = |(i, range): (usize, &HashRange)| Shard {
            id: i.to_string(),
            range: *range,
            open: true,
        };
        Ok(self.ranges.iter().enumerate().map(shard).collect())
    }

    async fn iterator(&self, _: &str, _: &Position) -> Result<String, CallError> {
        unreachable!("no answer is lost here")
    }

    async fn read(&self, _: &str) -> Result<Page, CallError> {
        unreachable!("no answer is lost here")
    }
}

fn plan(speedup: f64) -> Plan {
    Plan {
        speedup,
        read_ahead: 50,
        watermarks: true,
        reading: Reading {
            format: Format::Auto,
            attributes: Attributes {
                timestamp: "t".into(),
                partition_key: "id".into(),
            },
            seek: None,
            retry_for: Duration::ZERO,
        },
        options: Options {
            read_back: true,
            retry_for: Duration::ZERO,
            ..Options::default()
        },
    }
}

/// One event a second of event time, each ten out of order. No more than fit between decoding and sending: a
/// thread that waits would stop simulated time.
fn trips(count: u64) -> String {
    let ids = (0..count).map(|i| i / 10 * 10 + (i * 7) % 10);
    ids.map(|id| format!("{{\"id\":{id},\"t\":{}}}\n", id * 1000))
        .collect()
}

fn write(path: &Path, text: &str) {
    let file = Env::real().disk.create(path).unwrap();
    file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)
        .unwrap();
}

async fn replayed(text: &str, memory: Memory, plan: Plan) -> (Summary, Arc<Memory>) {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("events.json"), text);
    let (memory, env) = (Arc::new(memory), env());
    let producer = Producer::open(memory.clone(), plan.options.clone(), env.clone())
        .await
        .unwrap();
    let summary = Replay::new(producer, plan, env)
        .run(EventSource::Files(vec![dir.path().to_owned()]))
        .await;
    (summary, memory)
}

#[derive(serde::Deserialize)]
struct Read {
    id: Option<u64>,
    t: Option<i64>,
    watermark: Option<String>,
}

#[tokio::test(start_paused = true)]
async fn events_leave_in_their_order_and_at_their_time_with_watermarks_behind_them() {
    let (summary, memory) = replayed(&trips(1000), Memory::new(4, &env()), plan(100.0)).await;
    assert!(summary.complete(), "{summary:?}");
    assert_eq!((summary.events, summary.failed), (1000, 0));
    assert!(
        (9.9..11.0).contains(&summary.seconds),
        "1,000 s of events at 100 times their pace: {summary:?}"
    );
    let mut ids = Vec::new();
    let mut marks = 0;
    for shard in memory.shards.lock().iter() {
        let (mut newest, mut watermark) = (0, 0);
        for (at, data) in shard {
            let read: Read = serde_json::from_slice(data).unwrap();
            if let Some(time) = read.t {
                assert!(
                    time >= newest && time >= watermark,
                    "in order, and never behind a watermark"
                );
                let due = Duration::from_millis(time as u64 / 100);
                assert!(
                    *at >= due && *at < due + Duration::from_millis(100),
                    "{at:?} for {due:?}"
                );
                newest = time;
                ids.extend(read.id);
            } else {
                watermark = parse_time(&read.watermark.unwrap()).unwrap();
                assert!(watermark <= newest);
                marks += 1;
            }
        }
        assert_eq!(
            watermark, newest,
            "the last watermark is the last event's time"
        );
    }
    ids.sort();
    assert_eq!(ids, (0..1000).collect::<Vec<u64>>());
    assert_eq!(summary.watermarks, marks);
    assert!(
        (4 * 8..=4 * 12).contains(&marks),
        "one a second and shard: {marks}"
    );
}

#[tokio::test(start_paused = true)]
async fn aggregated_records_hold_every_event() {
    let mut plan = plan(1e6);
    plan.options.aggregate = true;
    let (summary, memory) = replayed(&trips(500), Memory::new(2, &env()), plan).await;
    assert_eq!((summary.events, summary.failed), (500, 0));
    let shards = memory.shards.lock();
    assert!(
        shards
            .iter()
            .flatten()
            .all(|(_, data)| data.starts_with(&[0xf3, 0x89, 0x9a, 0xc2]) || data.ends_with(b"}\n"))
    );
    assert!(shards.iter().map(Vec::len).sum::<usize>() < 100);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_is_counted() {
    let memory = Memory {
        broken: true,
        ..Memory::new(2, &env())
    };
    let (summary, _) = replayed(&trips(100), memory, plan(1e6)).await;
    assert_eq!((summary.events, summary.complete()), (0, false));
    assert_eq!(summary.failed, 100 + summary.watermarks);
}

#[tokio::test(start_paused = true)]
async fn a_bad_line_stops_the_replay_and_what_came_before_it_is_stored() {
    let text = format!("{}nonsense\n", trips(100));
    let (summary, _) = replayed(&text, Memory::new(2, &env()), plan(1e6)).await;
    assert_eq!((summary.events, summary.complete()), (100, false));
    let problem = summary.problem.unwrap();
    assert!(
        problem.contains("events.json, line 101, is not a JSON object"),
        "{problem}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_reads_every_event() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("events.json"), &trips(100));
    let source = EventSource::Files(vec![dir.path().to_owned()]);
    let summary = replay_into(
        Arc::new(DiscardStream),
        "nowhere",
        source,
        plan(1e6),
        &env(),
    )
    .await
    .unwrap();
    assert_eq!((summary.events, summary.complete()), (100, true));
}
