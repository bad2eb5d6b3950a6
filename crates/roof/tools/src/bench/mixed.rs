//! Reading the tip of shards while others put.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{
    bench::{
        connection::Connection,
        meter::{Meter, Window},
        read::{Cursor, ReadCounts, Reading, count},
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_PAUSE},
};

/// The result of the readers of a mixed run.
#[derive(Debug, Default)]
pub struct Tailed {
    /// Their calls.
    pub meter: Meter,
    /// From the sending of a record to the answer that holds it.
    pub delivery: Meter,
    /// The counts of all records that they read.
    pub seen: ReadCounts,
}

/// Reads all shards over that many connections, until `put_ended` and they are at the tip.
pub async fn tail(
    reading: &Arc<Reading>,
    shards: &[String],
    connections: usize,
    window: Window,
    put_ended: Arc<AtomicBool>,
) -> Tailed {
    let readers = connections.min(shards.len());
    let workers = (0..readers).map(|reader| {
        let own = shards.iter().skip(reader).step_by(readers);
        let cursors = own
            .map(|shard| Cursor::new(reading.clone(), shard, "TRIM_HORIZON"))
            .collect();
        let connection = Connection::new(reading.endpoint.clone());
        let tailer = Tailer {
            reading: reading.clone(),
            connection,
            cursors,
            window,
            found: Tailed::default(),
        };
        tailer.run(put_ended.clone())
    });
    let mut all = Tailed::default();
    for found in together(&reading.endpoint.env, workers).await {
        all.meter.merge(&found.meter);
        all.delivery.merge(&found.delivery);
        all.seen.merge(found.seen);
    }
    all
}

/// One connection's work.
struct Tailer {
    reading: Arc<Reading>,
    connection: Connection,
    cursors: Vec<Cursor>,
    window: Window,
    found: Tailed,
}

impl Tailer {
    async fn run(mut self, put_ended: Arc<AtomicBool>) -> Tailed {
        let clock = self.reading.endpoint.env.clock.clone();
        let mut failed_rounds = 0;
        while failed_rounds < BENCH_FAILURES_MAX {
            // Looked at before the round: what is acknowledged by then is found in it.
            let last_round = put_ended.load(Ordering::Acquire);
            let round = self.round().await;
            failed_rounds = if round.failed { failed_rounds + 1 } else { 0 };
            if round.at_tip && last_round {
                break;
            }
            if round.at_tip || round.failed {
                clock.sleep(BENCH_PAUSE).await;
            }
        }
        self.cursors
            .iter()
            .for_each(|cursor| self.found.seen.merge(cursor.seen));
        self.found
    }

    /// Reads a page of each shard.
    async fn round(&mut self) -> Round {
        let clock = &self.reading.endpoint.env.clock;
        let mut round = Round {
            at_tip: true,
            failed: false,
        };
        for cursor in &mut self.cursors {
            let mut sent = Vec::new();
            let step = cursor
                .step(&mut self.connection, |stamp| sent.push(stamp.sent))
                .await;
            let now = clock.elapsed();
            count(&mut self.found.meter, self.window, now, &step);
            if self.window.holds(now) {
                let ages = sent
                    .into_iter()
                    .map(|sent| now.saturating_sub(Duration::from_nanos(sent)));
                ages.for_each(|age| self.found.delivery.success(age, 1, 0));
            }
            round.at_tip &= step.as_ref().is_ok_and(|step| step.at_tip);
            round.failed |= step.is_err_and(|failure| !failure.throttled);
        }
        round
    }
}

/// The outcome of one round through the shards.
struct Round {
    at_tip: bool,
    failed: bool,
}
