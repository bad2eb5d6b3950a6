//! Reading by enhanced fan-out: one subscription a consumer and shard.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use headwater_shapes_kinesis as kinesis;
use headwater_wire::event_stream::Message;
use http::HeaderValue;

use crate::{
    bench::{
        calls::read_event,
        connection::{Events, Failure},
        meter::{Meter, Window},
        payload::Stamp,
        put::Acknowledged,
        read::{ReadCounts, Reading},
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_FANOUT_QUIET_MAX, BENCH_PAUSE},
};

const SUBSCRIBE_TO_SHARD: HeaderValue =
    HeaderValue::from_static("Kinesis_20131202.SubscribeToShard");

/// How often a subscription without events looks whether it is time to end.
const LOOK: Duration = Duration::from_millis(50);

/// When a consumer's subscriptions end: when all that was acknowledged is received, or nothing comes any more.
#[derive(Debug)]
pub struct Goal {
    /// Records to receive in all; unknown, and so out of reach, while putting goes on.
    wanted: AtomicU64,
    received: AtomicU64,
}

impl Goal {
    /// A goal that is not known yet.
    pub fn unknown() -> Arc<Self> {
        Arc::new(Self {
            wanted: AtomicU64::new(u64::MAX),
            received: AtomicU64::new(0),
        })
    }

    /// Putting has ended with that many records.
    pub fn set(&self, records: u64) {
        self.wanted.store(records, Ordering::Release);
    }

    fn is_known(&self) -> bool {
        self.wanted.load(Ordering::Acquire) != u64::MAX
    }

    fn is_reached(&self) -> bool {
        self.received.load(Ordering::Acquire) >= self.wanted.load(Ordering::Acquire)
    }
}

/// The records that all consumers received.
#[derive(Debug, Default)]
pub struct Received {
    /// From the sending of a record to the event that holds it.
    pub from_sending: Meter,
    /// From the acknowledgement of a record to the event that holds it; no time, where the event came first.
    pub from_acknowledgement: Meter,
    /// The counts of all records that they read.
    pub seen: ReadCounts,
}

/// Has each consumer receive all shards until its goal is reached.
pub async fn receive_all(
    reading: &Arc<Reading>,
    consumers: &[String],
    shards: &[String],
    goals: &[Arc<Goal>],
    window: Window,
    acknowledged: &Arc<Acknowledged>,
) -> Received {
    let pairs = consumers
        .iter()
        .zip(goals)
        .flat_map(|pair| shards.iter().map(move |shard| (pair, shard)));
    let bytes = reading.payload.record_bytes();
    let workers = pairs.map(|((consumer, goal), shard)| {
        let subscriber = Subscriber::new(reading.clone(), consumer, shard, goal.clone());
        let acknowledged = acknowledged.clone();
        async move {
            let mut received = Received::default();
            let take = |stamp: Stamp, now: Duration| {
                if window.holds(now) {
                    let sent = Duration::from_nanos(stamp.sent);
                    let acknowledged = acknowledged.at(stamp.serial).unwrap_or(now);
                    received
                        .from_sending
                        .success(now.saturating_sub(sent), 1, bytes);
                    received.from_acknowledgement.success(
                        now.saturating_sub(acknowledged),
                        1,
                        bytes,
                    );
                }
            };
            let (seen, failure) = subscriber.run(take).await;
            failure
                .iter()
                .for_each(|failure| received.from_sending.failure(failure));
            Received { seen, ..received }
        }
    });
    let mut all = Received::default();
    for received in together(&reading.endpoint.env, workers.collect::<Vec<_>>()).await {
        all.from_sending.merge(&received.from_sending);
        all.from_acknowledgement
            .merge(&received.from_acknowledgement);
        all.seen.merge(received.seen);
    }
    all
}

/// Subscribes all consumers to all shards, and reads nothing of what comes. The subscriptions last until they are
/// dropped.
pub async fn stall_all(
    reading: &Arc<Reading>,
    consumers: &[String],
    shards: &[String],
) -> Result<Vec<Events>, Failure> {
    let mut stalled = Vec::new();
    for (consumer, shard) in consumers
        .iter()
        .flat_map(|c| shards.iter().map(move |shard| (c, shard)))
    {
        let subscriber = Subscriber::new(reading.clone(), consumer, shard, Goal::unknown());
        stalled.push(subscriber.subscribe().await?);
    }
    Ok(stalled)
}

/// One consumer's reading of one shard.
pub struct Subscriber {
    reading: Arc<Reading>,
    consumer: String,
    shard: String,
    goal: Arc<Goal>,
    /// Where to subscribe again; none at first.
    continuation: Option<String>,
    last: String,
    seen: ReadCounts,
    ended: bool,
}

impl Subscriber {
    /// A reader from the oldest record on.
    pub fn new(reading: Arc<Reading>, consumer: &str, shard: &str, goal: Arc<Goal>) -> Self {
        Self {
            reading,
            consumer: consumer.to_owned(),
            shard: shard.to_owned(),
            goal,
            continuation: None,
            last: String::new(),
            seen: ReadCounts::default(),
            ended: false,
        }
    }

    /// Receives until the goal is reached, and gives each record of the run and the time to `take`.
    pub async fn run(
        mut self,
        mut take: impl FnMut(Stamp, Duration),
    ) -> (ReadCounts, Option<Failure>) {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failures = 0;
        loop {
            match self.subscription(&mut take).await {
                Ok(true) => return (self.seen, None),
                Ok(false) => failures = 0,
                Err(failure) => {
                    failures += 1;
                    if failures >= BENCH_FAILURES_MAX {
                        return (self.seen, Some(failure));
                    }
                    clock.sleep(BENCH_PAUSE).await;
                }
            }
        }
    }

    /// One subscription: AWS ends each after five minutes. Whether there is nothing more to wait for.
    async fn subscription(
        &mut self,
        take: &mut impl FnMut(Stamp, Duration),
    ) -> Result<bool, Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut events = self.subscribe().await?;
        let mut quiet_since = clock.elapsed();
        loop {
            if self.ended || self.goal.is_reached() {
                return Ok(true);
            }
            if self.goal.is_known()
                && clock.elapsed().saturating_sub(quiet_since) > BENCH_FANOUT_QUIET_MAX
            {
                return Ok(true);
            }
            let message = match select(pin!(events.next()), clock.sleep(LOOK)).await {
                Either::Left((message, _)) => message?,
                Either::Right(_) => continue,
            };
            let Some(message) = message else {
                return Ok(false);
            };
            if self.take(&message, clock.elapsed(), take)? > 0 {
                quiet_since = clock.elapsed();
            }
        }
    }

    async fn subscribe(&self) -> Result<Events, Failure> {
        let body = self.reading.endpoint.codec.write(&self.request());
        Events::open(self.reading.endpoint.clone(), SUBSCRIBE_TO_SHARD, body).await
    }

    fn request(&self) -> kinesis::SubscribeToShardInput {
        let kind = if self.continuation.is_some() {
            "AFTER_SEQUENCE_NUMBER"
        } else {
            "TRIM_HORIZON"
        };
        kinesis::SubscribeToShardInput {
            consumer_arn: self.consumer.clone(),
            shard_id: self.shard.clone(),
            starting_position: kinesis::StartingPosition {
                r#type: kind.to_owned(),
                sequence_number: self.continuation.clone(),
                ..Default::default()
            },
            ..Default::default()
        }
    }

    /// Reads a message; how many of the run's records it holds.
    fn take(
        &mut self,
        message: &Message,
        now: Duration,
        take: &mut impl FnMut(Stamp, Duration),
    ) -> Result<u64, Failure> {
        if message.header(":message-type") == Some("exception") {
            return Err(Failure::named(
                message.header(":exception-type").unwrap_or("exception"),
            ));
        }
        if message.header(":event-type") != Some("SubscribeToShardEvent") {
            return Ok(0);
        }
        let (seen, last, payload) = (&mut self.seen, &mut self.last, &self.reading.payload);
        let before = seen.tally.records;
        let continuation = read_event(
            self.reading.endpoint.codec,
            &message.payload,
            |number, data| {
                if let Some(stamp) = seen.take(payload, last, number, data) {
                    take(stamp, now);
                }
            },
        )?;
        let new = self.seen.tally.records - before;
        self.goal.received.fetch_add(new, Ordering::AcqRel);
        self.ended = continuation.is_none();
        self.continuation = continuation;
        Ok(new)
    }
}
