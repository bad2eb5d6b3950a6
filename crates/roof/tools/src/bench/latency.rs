//! One record a shard at a time, from its put to its reader.

use std::{pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use headwater_producer::Shard;
use tokio::sync::{mpsc, oneshot};

use crate::{
    bench::{
        calls::PutCall,
        connection::{Connection, Failure},
        fanout::{Goal, Subscriber},
        meter::{Meter, Window},
        payload::Stamp,
        put::Put,
        read::{Cursor, ReadCounts, Reading},
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_FANOUT_QUIET_MAX, BENCH_PAUSE},
};

/// The result of a latency run.
#[derive(Debug, Default)]
pub struct Latencies {
    /// The puts.
    pub put: Put,
    /// From the acknowledgement to the answer that holds the record.
    pub delivery: Meter,
    /// The counts of the records that were read.
    pub seen: ReadCounts,
}

/// Puts and reads one record a shard at a time until the window's end.
pub async fn measure(
    reading: &Arc<Reading>,
    shards: &[Shard],
    bytes: usize,
    poll: Duration,
    window: Window,
    consumers: &[String],
) -> Latencies {
    let workers = (0..).zip(shards).map(|(number, shard)| {
        let endpoint = &reading.endpoint;
        let hash_key = shard.range.start.to_string();
        let put = PutCall::new(
            endpoint.codec,
            &reading.stream,
            &reading.payload,
            1,
            number,
            Some(&hash_key),
        );
        let probe = Probe {
            connection: Connection::new(endpoint.clone()),
            call: put,
            cursor: Cursor::new(reading.clone(), &shard.id, "LATEST"),
            reading: reading.clone(),
            bytes: bytes as u64,
            poll,
            window,
            subscribed: Subscribed::to(reading, &shard.id, consumers),
            found: Latencies::default(),
        };
        probe.run()
    });
    let mut all = Latencies::default();
    for found in together(&reading.endpoint.env, workers).await {
        all.put.merge(&found.put);
        all.delivery.merge(&found.delivery);
        all.seen.merge(found.seen);
    }
    all
}

/// One shard's work.
struct Probe {
    connection: Connection,
    call: PutCall,
    cursor: Cursor,
    reading: Arc<Reading>,
    bytes: u64,
    poll: Duration,
    window: Window,
    subscribed: Subscribed,
    found: Latencies,
}

/// The subscriptions of all consumers to one shard; none where it is polled.
struct Subscribed {
    goals: Vec<Arc<Goal>>,
    /// The numbers of records that were received, and when.
    arrivals: mpsc::Receiver<(u64, Duration)>,
    /// The counts of each consumer's records, at its end.
    results: Vec<oneshot::Receiver<ReadCounts>>,
}

impl Subscribed {
    fn to(reading: &Arc<Reading>, shard: &str, consumers: &[String]) -> Self {
        let (arrived, arrivals) = mpsc::channel(consumers.len().max(1));
        let mut all = Self {
            goals: Vec::new(),
            arrivals,
            results: Vec::new(),
        };
        for consumer in consumers {
            let (goal, arrived, (done, result)) =
                (Goal::unknown(), arrived.clone(), oneshot::channel());
            let subscriber = Subscriber::new(reading.clone(), consumer, shard, goal.clone());
            reading.endpoint.env.spawn(async move {
                let tell = |stamp: Stamp, now| {
                    // There is room: the next record is put only when all have told of this one.
                    let _ = arrived.try_send((stamp.serial, now));
                };
                let (seen, _) = subscriber.run(tell).await;
                // Nobody misses it when the run was given up.
                let _ = done.send(seen);
            });
            all.goals.push(goal);
            all.results.push(result);
        }
        all
    }

    /// Waits until all consumers have received a record; when each of them did.
    async fn all_have(&mut self, serial: u64) -> Option<Vec<Duration>> {
        let mut times = Vec::with_capacity(self.goals.len());
        while times.len() < self.goals.len() {
            let (arrived, time) = self.arrivals.recv().await?;
            if arrived == serial {
                times.push(time);
            }
        }
        Some(times)
    }
}

impl Probe {
    async fn run(mut self) -> Latencies {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failures = 0;
        let mut placed = false;
        while failures < BENCH_FAILURES_MAX && clock.elapsed() < self.window.to {
            let done = match placed {
                false => self
                    .cursor
                    .place(&mut self.connection)
                    .await
                    .map(|()| placed = true),
                true => self.once().await,
            };
            match done {
                Ok(()) => failures = 0,
                Err(failure) => {
                    failures = if failure.throttled { 0 } else { failures + 1 };
                    clock.sleep(BENCH_PAUSE).await;
                }
            }
        }
        self.finish().await;
        self.found
    }

    /// Gathers what was read, however it was.
    async fn finish(&mut self) {
        self.found.seen = self.cursor.seen;
        self.subscribed
            .goals
            .iter()
            .for_each(|goal| goal.set(self.found.put.stored.records));
        let results = std::mem::take(&mut self.subscribed.results);
        let consumers = results.len();
        for result in results {
            self.found.seen.merge(result.await.unwrap_or_default());
        }
        self.found.put.times(consumers);
    }

    /// Puts a record and waits until it is read.
    async fn once(&mut self) -> Result<(), Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let started = clock.elapsed();
        let (target, body, serial) = self
            .call
            .next(u64::try_from(started.as_nanos()).unwrap_or(u64::MAX));
        let answer = self.connection.call(target, body).await;
        let acknowledged = clock.elapsed();
        let counts = self.window.holds(acknowledged);
        match answer.and_then(|answer| self.call.outcome(serial, &answer)) {
            Ok(outcome) => self.found.put.stored.merge(outcome.stored),
            Err(failure) => {
                self.found.put.unclear += u64::from(failure.unclear);
                if counts {
                    self.found.put.meter.failure(&failure);
                }
                return Err(failure);
            }
        }
        if counts {
            self.found
                .put
                .meter
                .success(acknowledged - started, 1, self.bytes);
        }
        match self.subscribed.goals.is_empty() {
            true => self.wait_for(serial, acknowledged).await,
            false => self.wait_for_events(serial, acknowledged).await,
        }
    }

    async fn wait_for_events(
        &mut self,
        serial: u64,
        acknowledged: Duration,
    ) -> Result<(), Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let received = self.subscribed.all_have(serial);
        let times = match select(pin!(received), clock.sleep(BENCH_FANOUT_QUIET_MAX)).await {
            Either::Left((times, _)) => times,
            Either::Right(_) => None,
        };
        let Some(times) = times else {
            let failure = Failure::named("NoEvent");
            self.found.delivery.failure(&failure);
            return Err(failure);
        };
        // An event may be here before the acknowledgement is.
        for time in times.into_iter().filter(|time| self.window.holds(*time)) {
            self.found
                .delivery
                .success(time.saturating_sub(acknowledged), 1, self.bytes);
        }
        Ok(())
    }

    async fn wait_for(&mut self, serial: u64, acknowledged: Duration) -> Result<(), Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failures = 0;
        loop {
            let mut there = false;
            let step = self
                .cursor
                .step(&mut self.connection, |stamp| {
                    there |= stamp.serial == serial
                })
                .await;
            let now = clock.elapsed();
            match step {
                Ok(step) if there => {
                    if self.window.holds(now) {
                        self.found
                            .delivery
                            .success(now - acknowledged, step.records, step.bytes);
                    }
                    return Ok(());
                }
                Ok(_) => {
                    failures = 0;
                    clock.sleep(self.poll).await;
                }
                Err(failure) => {
                    if self.window.holds(now) {
                        self.found.delivery.failure(&failure);
                    }
                    failures = if failure.throttled { 0 } else { failures + 1 };
                    if failures >= BENCH_FAILURES_MAX {
                        return Err(failure);
                    }
                    clock.sleep(BENCH_PAUSE.max(self.poll)).await;
                }
            }
        }
    }
}
