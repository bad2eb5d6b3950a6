//! `headwater replay`: sends the events of files or objects into a stream, at the pace at which they
//! happened.
//!
//! A source is unpacked and parsed on a thread of its own ([`source`], [`decode`], [`events`]), put in order
//! within a window ([`order`]), and given to the producer when its time has come. Watermarks tell consumers
//! how far event time has come in each shard ([`watermarks`]). Each event is stored once although answers be
//! lost: see the producer's `read_back`.

mod args;
mod decode;
mod discard;
mod events;
mod extent;
mod order;
mod progress;
mod source;
mod watermarks;

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

pub use args::ReplayArgs;
pub use decode::unpacked;
pub use events::{Attributes, BadEvent, Format, ReplayEvent, parse_time, read};
use futures_util::{StreamExt, stream::FuturesUnordered};
use headwater_client::{CallError, Client, ClientConfig, ConfigError};
use headwater_env::Env;
use headwater_producer::{KinesisStream, Options, Outcome, Producer, PutError, Record, Stream};
use headwater_types::HashKey;
use parking_lot::Mutex;
use serde::Serialize;
pub(crate) use source::files_under;
pub use source::{EventSource, Reading, SourceError};
use tokio::sync::mpsc;
pub use watermarks::iso;

use crate::{
    limits::{DECODED_EVENTS_MAX, OUTCOMES_MAX, READ_AHEAD_BYTES_MAX, WATERMARK_INTERVAL},
    replay::{
        discard::DiscardStream,
        extent::Extent,
        order::Window,
        progress::Gauges,
        watermarks::{Tracker, Watermarks},
    },
};

/// How a replay runs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Event time that passes in one second.
    pub speedup: f64,
    /// Events held to be put in order.
    pub read_ahead: usize,
    /// Whether watermarks are sent.
    pub watermarks: bool,
    /// How sources are read.
    pub reading: Reading,
    /// How records are put.
    pub options: Options,
}

/// The counts and times of a replay. As JSON it is the machine-readable summary.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Events stored in the stream.
    pub events: u64,
    /// Watermarks put besides.
    pub watermarks: u64,
    /// Bytes of the events.
    pub bytes: u64,
    /// Events and watermarks given up after all tries.
    pub failed: u64,
    /// Entries of calls that were sent again.
    pub retried: u64,
    /// Records whose answer was lost and that were found in the stream.
    pub found: u64,
    /// PutRecords calls.
    pub calls: u64,
    /// How long it took.
    pub seconds: f64,
    /// Events a second.
    pub events_per_second: f64,
    /// How far behind its time the event furthest behind was sent.
    pub lag_seconds_max: f64,
    /// The first event's time.
    pub first_event_time: Option<String>,
    /// The last event's time.
    pub last_event_time: Option<String>,
    /// Why it stopped before the end.
    pub problem: Option<String>,
}

impl Summary {
    /// Whether every event of the source is in the stream.
    pub fn complete(&self) -> bool {
        self.failed == 0 && self.problem.is_none()
    }
}

/// Why a replay did not start.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Settings of AWS's tools.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The stream.
    #[error("stream {stream} cannot be written to: {problem}")]
    Stream {
        /// Its name.
        stream: String,
        /// The endpoint's error.
        problem: CallError,
    },
    /// The summary.
    #[error("the summary cannot be written to {path}: {problem}")]
    Summary {
        /// The file's path.
        path: String,
        /// The system's error.
        problem: std::io::Error,
    },
}

/// Runs the command; `variable` reads the environment. The summary, which is printed too, tells whether all
/// went well.
///
/// # Errors
/// When it could not start, or its summary could not be written.
pub async fn run(
    args: ReplayArgs,
    env: Env,
    variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
) -> Result<Summary, ReplayError> {
    let config = ClientConfig::from_env(variable, &env)
        .await?
        .with_endpoint_url(args.endpoint_url.clone());
    let source = args.source(Client::new(config.clone(), env.clone()));
    let plan = args.plan();
    let summary = match &args.stream {
        Some(stream) => replay(source, config, stream, plan, &env).await?,
        // A dry run has none.
        None => replay_into(Arc::new(DiscardStream), "nowhere", source, plan, &env).await?,
    };
    let text = serde_json::to_string(&summary).expect("a summary is numbers and texts") + "\n";
    print!("{text}");
    if let Some(path) = &args.summary {
        let written = crate::files::write(&env, path, text.into_bytes()).await;
        written.map_err(|problem| ReplayError::Summary {
            path: path.display().to_string(),
            problem,
        })?;
    }
    Ok(summary)
}

/// Replays a source into a stream.
///
/// # Errors
/// When the stream cannot be opened.
pub async fn replay(
    source: EventSource,
    config: ClientConfig,
    stream: &str,
    plan: Plan,
    env: &Env,
) -> Result<Summary, ReplayError> {
    let target = Arc::new(KinesisStream::new(config, stream, env));
    replay_into(target, stream, source, plan, env).await
}

async fn replay_into(
    target: Arc<dyn Stream>,
    stream: &str,
    source: EventSource,
    plan: Plan,
    env: &Env,
) -> Result<Summary, ReplayError> {
    let opened = Producer::open(target, plan.options.clone(), env.clone()).await;
    let producer = opened.map_err(|problem| ReplayError::Stream {
        stream: stream.to_owned(),
        problem,
    })?;
    Ok(Replay::new(producer, plan, env.clone()).run(source).await)
}

/// A replay under way.
struct Replay {
    producer: Producer,
    plan: Plan,
    env: Env,
    gauges: Gauges,
    extent: Arc<Extent>,
    watermarks: Mutex<Watermarks>,
    watermarks_sent: std::sync::atomic::AtomicU64,
}

/// The results of the half that sends events: first and last event time, the largest lag, and the error that ended it.
#[derive(Default)]
struct SendOutcome {
    first: Option<i64>,
    last: Option<i64>,
    lag_max: Duration,
    problem: Option<String>,
}

/// An event that is on its way.
struct InFlight {
    time: i64,
    bytes: u64,
    tracker: Option<Arc<Tracker>>,
    outcome: Outcome,
}

impl Replay {
    fn new(producer: Producer, plan: Plan, env: Env) -> Self {
        Self {
            producer,
            plan,
            env,
            gauges: Gauges::default(),
            extent: Arc::default(),
            watermarks: Mutex::default(),
            watermarks_sent: Default::default(),
        }
    }

    async fn run(self, source: EventSource) -> Summary {
        let began = self.env.clock.elapsed();
        self.refresh_shards().await;
        let (flying, landing) = mpsc::channel(DECODED_EVENTS_MAX);
        let sent = tokio::select! {
            (sent, ()) = async { tokio::join!(self.send(source, flying), self.land(landing)) } => sent,
            () = self.mark(), if self.plan.watermarks => unreachable!("it goes on until it is dropped"),
            () = progress::show(&self.gauges, &self.extent, &self.env) => unreachable!("it goes on until it is dropped"),
        };
        if self.plan.watermarks {
            self.send_watermarks().await;
        }
        self.producer.flush().await;
        self.summary(sent, self.env.clock.elapsed().saturating_sub(began))
    }

    /// Sends every event at its time, in order within the window.
    async fn send(&self, source: EventSource, flying: mpsc::Sender<InFlight>) -> SendOutcome {
        let (decoded, mut events) = mpsc::channel(DECODED_EVENTS_MAX);
        let (reading, extent) = (self.plan.reading.clone(), self.extent.clone());
        let feed = async {
            let fed = source.feed(reading, decoded, extent, self.env.clone());
            let fed = fed.await;
            self.extent.end();
            fed
        };
        let send = async {
            let mut sent = SendOutcome::default();
            let mut window = Window::default();
            let start = std::cell::OnceCell::new();
            while let Some(event) = self.next(&mut window, &mut events).await {
                let (began, first) = *start.get_or_init(|| (self.env.clock.elapsed(), event.time));
                let lag = self.wait(began, event.time - first).await;
                sent.lag_max = sent.lag_max.max(lag);
                sent.first.get_or_insert(event.time);
                sent.last = Some(event.time);
                if let Err(problem) = self.put(event, &flying).await {
                    sent.problem = Some(problem.to_string());
                    break;
                }
            }
            // The reading half of the source need not go on.
            events.close();
            sent
        };
        let (fed, mut sent) = tokio::join!(feed, send);
        drop(flying);
        sent.problem = sent.problem.or(fed.err().map(|error| error.to_string()));
        sent
    }

    /// The earliest event, once the window is full or the source at its end.
    async fn next(
        &self,
        window: &mut Window,
        events: &mut mpsc::Receiver<ReplayEvent>,
    ) -> Option<ReplayEvent> {
        while window.len() < self.plan.read_ahead && window.bytes() < READ_AHEAD_BYTES_MAX {
            match events.recv().await {
                Some(event) => window.push(event),
                None => break,
            }
        }
        window.pop()
    }

    /// Waits until an event that happened `after_ms` after the first is due; returns how late it is.
    async fn wait(&self, began: Duration, after_ms: i64) -> Duration {
        let due = Duration::try_from_secs_f64(after_ms as f64 / 1000.0 / self.plan.speedup);
        // An event before the first is due at once.
        let due = began + due.unwrap_or_default();
        let ahead = due.saturating_sub(self.env.clock.elapsed());
        if !ahead.is_zero() {
            self.env.clock.sleep(ahead).await;
        }
        let lag = self.env.clock.elapsed().saturating_sub(due);
        self.gauges.lag_ms.store(lag.as_millis() as u64, Relaxed);
        lag
    }

    async fn put(
        &self,
        event: ReplayEvent,
        flying: &mpsc::Sender<InFlight>,
    ) -> Result<(), PutError> {
        // Without a key of its own, an event goes where its bytes fall.
        let partition_key = event.key.unwrap_or_else(|| {
            format!(
                "{:x}",
                HashKey::of(String::from_utf8_lossy(&event.data).as_ref()).0
            )
        });
        let tracker = self
            .watermarks
            .lock()
            .sent(HashKey::of(&partition_key), event.time);
        let bytes = event.data.len() as u64;
        let record = Record {
            partition_key,
            explicit_hash_key: None,
            data: event.data,
        };
        let outcome = self.producer.put(record).await?;
        self.gauges.time.store(event.time, Relaxed);
        // The other half lives as long as this one.
        drop(
            flying
                .send(InFlight {
                    time: event.time,
                    bytes,
                    tracker,
                    outcome,
                })
                .await,
        );
        Ok(())
    }

    /// Watches what becomes of the events that are on their way.
    async fn land(&self, mut flying: mpsc::Receiver<InFlight>) {
        let mut waiting = FuturesUnordered::new();
        loop {
            tokio::select! {
                Some(event) = flying.recv(), if waiting.len() < OUTCOMES_MAX => waiting.push(async move {
                    let InFlight { time, bytes, tracker, outcome } = event;
                    (time, bytes, tracker, outcome.await)
                }),
                Some((time, bytes, tracker, outcome)) = waiting.next() => {
                    if let Some(tracker) = tracker {
                        tracker.done(time);
                    }
                    match outcome {
                        Ok(_) => {
                            self.gauges.events.fetch_add(1, Relaxed);
                            self.gauges.bytes.fetch_add(bytes, Relaxed);
                        }
                        Err(_) => drop(self.gauges.failed.fetch_add(1, Relaxed)),
                    }
                }
                else => return,
            }
        }
    }

    /// Sends watermarks until it is dropped.
    async fn mark(&self) {
        loop {
            self.env.clock.sleep(WATERMARK_INTERVAL).await;
            self.refresh_shards().await;
            self.send_watermarks().await;
        }
    }

    /// Takes the open shards as the producer last listed them; while they cannot be listed, those known stay.
    async fn refresh_shards(&self) {
        match self.producer.open_shards().await {
            Ok(open) => self.watermarks.lock().set_shards(&open),
            Err(error) => tracing::debug!(%error, "the shards cannot be listed"),
        }
    }

    async fn send_watermarks(&self) {
        let now = self.watermarks.lock().now();
        for (start, time) in now {
            let put = self.producer.put(watermark(start, time)).await;
            if put.is_ok() {
                self.watermarks_sent.fetch_add(1, Relaxed);
            }
        }
    }

    fn summary(&self, sent: SendOutcome, took: Duration) -> Summary {
        let stats = self.producer.stats();
        let events = self.gauges.events.load(Relaxed);
        Summary {
            events,
            watermarks: self.watermarks_sent.load(Relaxed),
            bytes: self.gauges.bytes.load(Relaxed),
            failed: stats.failed,
            retried: stats.retried,
            found: stats.found,
            calls: stats.calls,
            seconds: took.as_secs_f64(),
            events_per_second: progress::rate(events, took),
            lag_seconds_max: sent.lag_max.as_secs_f64(),
            first_event_time: sent.first.map(iso),
            last_event_time: sent.last.map(iso),
            problem: sent.problem,
        }
    }
}

/// A watermark for the shard that starts at a hash key.
fn watermark(start: HashKey, time: i64) -> Record {
    Record {
        partition_key: "watermark".to_owned(),
        explicit_hash_key: Some(start),
        data: watermarks::event(time),
    }
}

#[cfg(test)]
mod tests;
