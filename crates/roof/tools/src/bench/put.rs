//! Putting as fast as records are taken or at a given rate, until a time or until enough is stored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_env::Env;
use parking_lot::Mutex;

use crate::{
    bench::{
        calls::{PutCall, PutOutcome, place_of},
        connection::{Connection, Failure},
        meter::{Meter, Window},
        payload::Tally,
        schedule::Schedule,
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

/// The result of putting.
#[derive(Debug, Default)]
pub struct Put {
    /// The calls that ended in the window.
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

/// When the calls of all connections were acknowledged, for those who see their records arrive.
#[derive(Debug)]
pub struct Acknowledged {
    records_a_call: u64,
    connections: Vec<Mutex<Vec<Duration>>>,
}

impl Acknowledged {
    /// Nothing yet, of so many connections whose calls have so many records.
    pub fn new(connections: usize, records_a_call: usize) -> Self {
        let connections = (0..connections).map(|_| Mutex::default()).collect();
        Self {
            records_a_call: records_a_call as u64,
            connections,
        }
    }

    /// The call whose first record has that number was acknowledged.
    fn set(&self, first: u64, at: Duration) {
        let (connection, number) = place_of(first);
        let mut calls = self.connections[connection].lock();
        calls.resize((number / self.records_a_call) as usize, Duration::MAX);
        calls.push(at);
    }

    /// When the record of that number was acknowledged, if it is known to be.
    pub fn at(&self, serial: u64) -> Option<Duration> {
        let (connection, number) = place_of(serial);
        let calls = self.connections.get(connection)?.lock();
        calls.get((number / self.records_a_call) as usize).copied()
    }
}

/// How to put.
#[derive(Clone)]
pub struct Putting {
    /// Bytes of a record.
    pub bytes: usize,
    /// Calls a second; none for as many as are taken.
    pub calls_per_second: Option<f64>,
    /// The time that is measured.
    pub window: Window,
    /// When it ends.
    pub until: Until,
    /// The times of acknowledgements, kept for readers where they want them.
    pub acknowledged: Option<Arc<Acknowledged>>,
}

/// Puts over one connection a call.
pub async fn put_all(env: &Env, calls: Vec<(Connection, PutCall)>, putting: &Putting) -> Put {
    let (connections, start) = (calls.len(), env.clock.elapsed());
    let workers = (0..).zip(calls).map(|(number, (connection, call))| {
        let schedule = putting
            .calls_per_second
            .map(|rate| Schedule::of(number, connections, rate, start));
        let putting = putting.clone();
        Putter {
            connection,
            call,
            schedule,
            putting,
            env: env.clone(),
            put: Put::default(),
        }
        .run()
    });
    let mut all = Put::default();
    together(env, workers)
        .await
        .iter()
        .for_each(|put| all.merge(put));
    all
}

/// One connection's work.
struct Putter {
    connection: Connection,
    call: PutCall,
    schedule: Option<Schedule>,
    putting: Putting,
    env: Env,
    put: Put,
}

impl Putter {
    async fn run(mut self) -> Put {
        let mut failures = 0;
        while failures < BENCH_FAILURES_MAX
            && !self.putting.until.is_reached(self.env.clock.elapsed())
        {
            let started = self.wait_until_due().await;
            match self.once(started).await {
                Ok(stored) => {
                    self.putting.until.stored(stored);
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

    /// From when on the next call's time counts: from when it was due, if the call before it took too long; from now,
    /// if the connection was free in time, for that a timer is late is not the server's doing.
    async fn wait_until_due(&mut self) -> Duration {
        let clock = &self.env.clock;
        let Some(schedule) = &mut self.schedule else {
            return clock.elapsed();
        };
        let due = schedule.next();
        let early = due.saturating_sub(clock.elapsed());
        if early.is_zero() {
            return due;
        }
        clock.sleep(early).await;
        clock.elapsed()
    }

    /// One call, whose time counts from `started` on; how many of its records are stored.
    async fn once(&mut self, started: Duration) -> Result<u64, Failure> {
        let (target, body, first) = self
            .call
            .next(u64::try_from(started.as_nanos()).unwrap_or(u64::MAX));
        let answer = self.connection.call(target, body).await;
        let outcome = answer.and_then(|answer| self.call.outcome(first, &answer));
        let ended = self.env.clock.elapsed();
        let counts = self.putting.window.holds(ended);
        match outcome {
            Ok(PutOutcome { stored, refused }) => {
                if let Some(acknowledged) = &self.putting.acknowledged {
                    acknowledged.set(first, ended);
                }
                self.put.stored.merge(stored);
                if counts {
                    let bytes = stored.records * self.putting.bytes as u64;
                    self.put
                        .meter
                        .success(ended - started, stored.records, bytes);
                    refused
                        .into_iter()
                        .for_each(|code| self.put.meter.refused(code));
                }
                Ok(stored.records)
            }
            Err(failure) => {
                self.put.unclear += if failure.unclear {
                    self.call.records()
                } else {
                    0
                };
                if counts {
                    self.put.meter.failure(&failure);
                }
                Err(failure)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_record_of_a_call_was_acknowledged_with_it() {
        let (acknowledged, at) = (Acknowledged::new(2, 10), Duration::from_secs(3));
        let second = 1 << 40;
        acknowledged.set(second, at);
        acknowledged.set(second + 20, at * 2);
        assert_eq!(acknowledged.at(0), None);
        assert_eq!(acknowledged.at(second + 9), Some(at));
        assert_eq!(
            acknowledged.at(second + 10),
            Some(Duration::MAX),
            "that call failed"
        );
        assert_eq!(acknowledged.at(second + 29), Some(at * 2));
        assert_eq!(acknowledged.at(second + 30), None);
    }
}
