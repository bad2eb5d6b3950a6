//! Putting as fast as records are taken, until a time or until enough is stored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_env::Env;

use crate::{
    bench::{
        calls::{PutCall, PutOutcome},
        connection::{Connection, Failure},
        meter::{Meter, Window},
        payload::Tally,
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_PAUSE},
};

/// When putting ends.
#[derive(Clone)]
pub enum Until {
    /// At that time, by the run's clock.
    Time(Duration),
    /// When that many records are stored by all together.
    Stored(u64, Arc<AtomicU64>),
}

impl Until {
    fn is_reached(&self, now: Duration) -> bool {
        match self {
            Until::Time(end) => now >= *end,
            Until::Stored(wanted, stored) => stored.load(Relaxed) >= *wanted,
        }
    }

    fn stored(&self, records: u64) {
        if let Until::Stored(_, stored) = self {
            stored.fetch_add(records, Relaxed);
        }
    }
}

/// What was put.
#[derive(Debug, Default)]
pub struct Put {
    /// What happened in the window.
    pub meter: Meter,
    /// All that was acknowledged, whenever.
    pub stored: Tally,
    /// Records of calls whose outcome is unknown.
    pub unclear: u64,
}

impl Put {
    /// The same as if it were done so often: for what each of many consumers reads.
    pub fn times(&mut self, count: usize) {
        let (stored, unclear) = (self.stored, self.unclear);
        for _ in 1..count {
            self.stored.merge(stored);
            self.unclear += unclear;
        }
    }

    /// Takes in what another did.
    pub fn merge(&mut self, other: &Put) {
        self.meter.merge(&other.meter);
        self.stored.merge(other.stored);
        self.unclear += other.unclear;
    }
}

/// Puts over one connection a call.
pub async fn put_all(
    env: &Env,
    calls: Vec<(Connection, PutCall)>,
    bytes: usize,
    window: Window,
    until: Until,
) -> Put {
    let workers = calls.into_iter().map(|(connection, call)| {
        let putter =
            Putter { connection, call, bytes: bytes as u64, window, env: env.clone(), put: Put::default() };
        putter.run(until.clone())
    });
    let mut all = Put::default();
    together(env, workers).await.iter().for_each(|put| all.merge(put));
    all
}

/// One connection's work.
struct Putter {
    connection: Connection,
    call: PutCall,
    /// Of one record.
    bytes: u64,
    window: Window,
    env: Env,
    put: Put,
}

impl Putter {
    async fn run(mut self, until: Until) -> Put {
        let mut failures = 0;
        while failures < BENCH_FAILURES_MAX && !until.is_reached(self.env.clock.elapsed()) {
            match self.once().await {
                Ok(stored) => {
                    until.stored(stored);
                    failures = 0;
                }
                Err(failure) => {
                    failures = if failure.throttled { 0 } else { failures + 1 };
                    self.env.clock.sleep(BENCH_PAUSE).await;
                }
            }
        }
        self.put
    }

    /// One call; how many of its records are stored.
    async fn once(&mut self) -> Result<u64, Failure> {
        let started = self.env.clock.elapsed();
        let (target, body, first) = self.call.next(u64::try_from(started.as_nanos()).unwrap_or(u64::MAX));
        let answer = self.connection.call(target, body).await;
        let outcome = answer.and_then(|answer| self.call.outcome(first, &answer));
        let ended = self.env.clock.elapsed();
        let counts = self.window.holds(ended);
        match outcome {
            Ok(PutOutcome { stored, refused }) => {
                self.put.stored.merge(stored);
                if counts {
                    self.put.meter.success(ended - started, stored.records, stored.records * self.bytes);
                    refused.into_iter().for_each(|code| self.put.meter.refused(code));
                }
                Ok(stored.records)
            }
            Err(failure) => {
                self.put.unclear += if failure.unclear { self.call.records() } else { 0 };
                if counts {
                    self.put.meter.failure(&failure);
                }
                Err(failure)
            }
        }
    }
}
