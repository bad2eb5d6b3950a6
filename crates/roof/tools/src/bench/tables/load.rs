//! Calls on a table over many connections, until a time or until the table is filled.

use std::{
    collections::HashMap,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_env::Env;

use super::{
    args::What,
    call::TableCall,
    items::{ITEM_BYTES, Items},
};
use crate::{
    bench::{
        connection::{Connection, Failure},
        endpoint::Endpoint,
        meter::{Meter, Window},
        payload::mix,
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_PAUSE, BENCH_SAMPLE_ITEMS_MAX},
};

/// A worker's stamps begin with its number, and have so many bits for the number of its call.
const CALL_BITS: u32 = 40;

/// What is called, and on which table.
pub struct Load<'a> {
    /// The calls.
    pub what: What,
    /// The table.
    pub table: &'a str,
    /// Its items.
    pub items: Items,
    /// Where it is.
    pub endpoint: &'a Arc<Endpoint>,
    /// Connections, each with one call at a time.
    pub connections: u32,
    /// The time that is measured, and at whose end all ends; a table is filled however long that takes.
    pub window: Window,
}

/// The result.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The calls that ended in the window.
    pub meter: Meter,
    /// Some of the items that calls were about, and the stamp that each was given last; none where it was read.
    pub sample: HashMap<u64, Option<u64>>,
}

impl Load<'_> {
    /// Calls over all connections.
    pub async fn run(&self) -> Loaded {
        let env = &self.endpoint.env;
        let (turn, run) = (Arc::new(AtomicU64::new(0)), env.random.next_u64());
        let workers = (0..u64::from(self.connections)).map(|worker| {
            Worker {
                connection: Connection::new(self.endpoint.clone()),
                call: TableCall::new(self.what, self.table, self.items),
                what: self.what,
                order: self.order(worker, &turn),
                window: self.window,
                stamp: run.wrapping_add(worker << CALL_BITS),
                loaded: Loaded::default(),
                env: env.clone(),
            }
            .run()
        });
        let mut all = Loaded::default();
        for loaded in together(env, workers).await {
            all.meter.merge(&loaded.meter);
            all.sample.extend(loaded.sample);
        }
        all
    }

    fn order(&self, worker: u64, turn: &Arc<AtomicU64>) -> Order {
        if self.what == What::Load {
            return Order::Each(turn.clone(), self.items.count);
        }
        let share = self.items.count / u64::from(self.connections);
        Order::Any(worker * share..(worker + 1) * share)
    }
}

/// The items that a worker's calls are about.
enum Order {
    /// All, and each once by all workers together.
    Each(Arc<AtomicU64>, u64),
    /// Any of these, which are of no other worker: so it knows what they are.
    Any(Range<u64>),
}

/// One connection's work.
struct Worker {
    connection: Connection,
    call: TableCall,
    what: What,
    order: Order,
    window: Window,
    /// The stamp of the next call; it is spread over all of its bits before it is used.
    stamp: u64,
    loaded: Loaded,
    env: Env,
}

impl Worker {
    async fn run(mut self) -> Loaded {
        let (mut failures, mut next) = (0, self.next());
        while let Some(first) = next
            && failures < BENCH_FAILURES_MAX
        {
            match self.once(first).await {
                Ok(()) => (failures, next) = (0, self.next()),
                Err(failure) => {
                    failures = if failure.throttled { 0 } else { failures + 1 };
                    self.env.clock.sleep(BENCH_PAUSE).await;
                    next = self.again(first);
                }
            }
        }
        self.loaded
    }

    /// The number of the first item of the next call; none when it is time to end.
    fn next(&mut self) -> Option<u64> {
        let items = self.what.items();
        match &self.order {
            Order::Each(turn, count) => {
                let first = turn.fetch_add(items, Relaxed);
                (first < *count).then_some(first)
            }
            Order::Any(own) => {
                let firsts = own.end - own.start - items + 1;
                let first = own.start + mix(!self.stamp) % firsts;
                (self.env.clock.elapsed() < self.window.to).then_some(first)
            }
        }
    }

    /// The same after a call that failed: a table is filled without gaps.
    fn again(&mut self, first: u64) -> Option<u64> {
        match &self.order {
            Order::Each(..) => Some(first),
            Order::Any(_) => self.next(),
        }
    }

    async fn once(&mut self, first: u64) -> Result<(), Failure> {
        let stamp = mix(self.stamp);
        self.stamp = self.stamp.wrapping_add(1);
        let (target, body) = self.call.next(first, stamp);
        let started = self.env.clock.elapsed();
        let answer = self.connection.call(target, body).await;
        let outcome = answer.and_then(|answer| self.call.check(&answer));
        let ended = self.env.clock.elapsed();
        let counts = self.window.holds(ended);
        match &outcome {
            Ok(()) => self.acknowledged(first, stamp, ended - started, counts),
            Err(failure) => {
                self.forget(first);
                if counts {
                    self.loaded.meter.failure(failure);
                }
            }
        }
        outcome
    }

    fn acknowledged(&mut self, first: u64, stamp: u64, took: Duration, counts: bool) {
        if counts {
            let items = self.what.items();
            let bytes = items * ITEM_BYTES as u64;
            self.loaded.meter.success(took, items, bytes);
        }
        let (about, sample) = (self.about(first), &mut self.loaded.sample);
        for number in about {
            if sample.len() < BENCH_SAMPLE_ITEMS_MAX || sample.contains_key(&number) {
                sample.insert(number, self.what.writes().then_some(stamp));
            }
        }
    }

    /// Nobody knows what the items of a call that failed are.
    fn forget(&mut self, first: u64) {
        for number in self.about(first) {
            self.loaded.sample.remove(&number);
        }
    }

    fn about(&self, first: u64) -> Range<u64> {
        match self.what {
            What::Query => first..first + 1,
            what => first..first + what.items(),
        }
    }
}
