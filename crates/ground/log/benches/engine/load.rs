//! Callers that append in a loop.

use std::{path::Path, sync::Arc, time::Duration};

use headwater_env::Env;
use headwater_log::*;
use headwater_types::Millis;

use crate::machine::{MIB, processor_seconds};

pub const FOREVER: Retention = Retention {
    period: Duration::from_secs(1 << 40),
    floor: Millis::ZERO,
};

/// The callers, and the records that they append.
#[derive(Clone, Copy)]
pub struct Load {
    pub callers: u64,
    pub shards: u64,
    /// Records of one call, spread over the shards.
    pub records: u64,
    /// Bytes of each record.
    pub bytes: usize,
}

/// The outcome of a load.
pub struct Outcome {
    pub records: u64,
    pub seconds: f64,
    /// Processor time, the callers' included.
    pub processor: f64,
}

impl Outcome {
    pub fn rate(&self) -> f64 {
        self.records as f64 / self.seconds
    }

    pub fn mib_per_s(&self, load: Load) -> f64 {
        self.rate() * load.bytes as f64 / MIB
    }

    pub fn micros_per_record(&self) -> f64 {
        self.processor * 1e6 / self.records as f64
    }
}

pub async fn open(env: &Env, options: Options, shards: u64) -> Arc<EmbeddedLog> {
    let log = EmbeddedLog::open(env.clone(), options).await;
    let log = Arc::new(log.expect("a log"));
    let shards: Vec<_> = (0..shards).map(ShardNumber).collect();
    let opened = log.open_shards(&shards, FOREVER).await;
    opened.expect("shards");
    log
}

/// Appends to a new log in `dir` for some time.
pub async fn fresh(env: &Env, dir: &Path, load: Load, until: Until) -> Outcome {
    let log = open(env, Options::new(dir), load.shards).await;
    let outcome = append(env, &log, load, until).await;
    log.close().await;
    outcome
}

/// When the callers stop.
#[derive(Clone, Copy)]
pub enum Until {
    Elapsed(Duration),
    /// When about so many records are appended in all.
    Records(u64),
}

pub async fn append(env: &Env, log: &Arc<EmbeddedLog>, load: Load, until: Until) -> Outcome {
    let (start, processor) = (env.clock.elapsed(), processor_seconds());
    let (tell, mut told) = tokio::sync::mpsc::channel(load.callers as usize);
    for caller in 0..load.callers {
        let (env, log, tell) = (env.clone(), log.clone(), tell.clone());
        let working = env.clone();
        env.spawn(async move {
            let records = call_again_and_again(&working, &log, load, until, start, caller).await;
            tell.send(records).await.expect("somebody who counts");
        });
    }
    drop(tell);
    let mut records = 0;
    while let Some(more) = told.recv().await {
        records += more;
    }
    let seconds = (env.clock.elapsed() - start).as_secs_f64();
    Outcome {
        records,
        seconds,
        processor: processor_seconds() - processor,
    }
}

async fn call_again_and_again(
    env: &Env,
    log: &EmbeddedLog,
    load: Load,
    until: Until,
    start: Duration,
    caller: u64,
) -> u64 {
    let value = vec![b'v'; load.bytes];
    let same = vec![
        NewRecord {
            key: b"partition",
            value: &value
        };
        load.records as usize
    ];
    let (mut calls, mut records) = (0, 0);
    loop {
        let is_over = match until {
            Until::Elapsed(time) => env.clock.elapsed() - start >= time,
            Until::Records(most) => records * load.callers >= most,
        };
        if is_over {
            return records;
        }
        let batch = batch(load, caller, calls);
        let append = |(shard, count): &(ShardNumber, usize)| Append {
            shard: *shard,
            records: &same[..*count],
        };
        let done = log
            .append(&batch.iter().map(append).collect::<Vec<_>>())
            .await;
        assert!(
            done.iter().all(Result::is_ok),
            "{:?}",
            done.iter().find(|one| one.is_err())
        );
        calls += 1;
        records += load.records;
    }
}

/// How many records of a call go to which shards, spread as partition keys spread them.
fn batch(load: Load, caller: u64, call: u64) -> Vec<(ShardNumber, usize)> {
    let first = (caller.wrapping_mul(0x9e37_79b9) + call.wrapping_mul(0x85eb_ca6b)) % load.shards;
    let touched = load.records.min(load.shards);
    // Far apart, and no shard twice: 7,919 is prime.
    let share = |i: u64| {
        let records = load.records / touched + u64::from(i < load.records % touched);
        (
            ShardNumber((first + i * 7919) % load.shards),
            records as usize,
        )
    };
    (0..touched).map(share).collect()
}
