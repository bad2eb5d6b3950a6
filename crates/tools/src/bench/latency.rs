//! One record a shard at a time, from its put to its reader.

use std::{sync::Arc, time::Duration};

use headwater_producer::Shard;

use crate::{
    bench::{
        calls::PutCall,
        connection::{Connection, Failure},
        meter::{Meter, Window},
        put::Put,
        read::{Cursor, Reading, Seen},
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_PAUSE},
};

/// What was measured.
#[derive(Debug, Default)]
pub struct Latencies {
    /// The puts.
    pub put: Put,
    /// From the acknowledgement to the answer that holds the record.
    pub delivery: Meter,
    /// What readers found.
    pub seen: Seen,
}

/// Puts and reads one record a shard at a time until the window's end.
pub async fn measure(
    reading: &Arc<Reading>,
    shards: &[Shard],
    bytes: usize,
    poll: Duration,
    window: Window,
) -> Latencies {
    let workers = (0..).zip(shards).map(|(number, shard)| {
        let endpoint = &reading.endpoint;
        let hash_key = shard.range.start.to_string();
        let put = PutCall::new(endpoint.codec, &reading.stream, &reading.payload, 1, number, Some(&hash_key));
        let probe = Probe {
            connection: Connection::new(endpoint.clone()),
            call: put,
            cursor: Cursor::new(reading.clone(), &shard.id, "LATEST"),
            reading: reading.clone(),
            bytes: bytes as u64,
            poll,
            window,
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
    found: Latencies,
}

impl Probe {
    async fn run(mut self) -> Latencies {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failures = 0;
        let mut placed = false;
        while failures < BENCH_FAILURES_MAX && clock.elapsed() < self.window.to {
            let done = match placed {
                false => self.cursor.place(&mut self.connection).await.map(|()| placed = true),
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
        self.found.seen = self.cursor.seen;
        self.found
    }

    /// Puts a record and waits until it is read.
    async fn once(&mut self) -> Result<(), Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let started = clock.elapsed();
        let (target, body, serial) = self.call.next(u64::try_from(started.as_nanos()).unwrap_or(u64::MAX));
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
            self.found.put.meter.success(acknowledged - started, 1, self.bytes);
        }
        self.wait_for(serial, acknowledged).await
    }

    async fn wait_for(&mut self, serial: u64, acknowledged: Duration) -> Result<(), Failure> {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failures = 0;
        loop {
            let mut there = false;
            let step = self.cursor.step(&mut self.connection, |stamp| there |= stamp.serial == serial).await;
            let now = clock.elapsed();
            match step {
                Ok(step) if there => {
                    if self.window.holds(now) {
                        self.found.delivery.success(now - acknowledged, step.records, step.bytes);
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
