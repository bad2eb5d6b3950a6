//! The common parts of the engine's tests: a simulated machine, and a few short words for appends and reads.
#![allow(dead_code, reason = "each test uses a part")]
#![allow(clippy::unwrap_used, reason = "this is test code")]

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::{Disk, Entry, Env, ManualClock, SeededRandom, SimDisk};
use headwater_log::*;
use headwater_types::Millis;

pub const FOREVER: Retention = Retention {
    period: Duration::from_secs(1 << 40),
    floor: Millis::ZERO,
};
pub const ALL: ReadLimit = ReadLimit {
    records: usize::MAX,
    bytes: usize::MAX,
};

/// A machine with a simulated disk and a clock that stands still. With an even seed, files are extended ahead of what is
/// written, and written past the system's cache.
pub struct Machine {
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub writes_ahead: bool,
    /// Bytes of its files.
    pub segment_bytes: u64,
}

impl Machine {
    pub fn new(seed: u64) -> Self {
        let disk = SimDisk::new(seed);
        let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(seed)),
            disk: Arc::new(disk.clone()),
            ..Env::real()
        };
        Self {
            disk,
            clock,
            env,
            writes_ahead: seed.is_multiple_of(2),
            segment_bytes: 1500,
        }
    }

    /// Small files and a small tail, so that a few records make many of everything.
    pub fn options(&self) -> Options {
        Options {
            segment_bytes: self.segment_bytes,
            preallocate_bytes: if self.writes_ahead {
                self.segment_bytes / 4
            } else {
                0
            },
            direct: self.writes_ahead,
            tail_cache_bytes: 1200,
            maintain_every: None,
            ..Options::new(PathBuf::from("/log"))
        }
    }

    pub async fn open(&self) -> Result<EmbeddedLog, LogError> {
        EmbeddedLog::open(self.env.clone(), self.options()).await
    }

    pub async fn verify(&self) -> Report {
        let (env, dir) = (self.env.clone(), self.options().dir);
        self.env.blocking(move || verify(&env, &dir)).await.unwrap()
    }

    /// The entries of the log's folder.
    pub async fn list(&self) -> Vec<Entry> {
        let (disk, dir) = (self.disk.clone(), self.options().dir);
        self.env.blocking(move || disk.list(&dir)).await.unwrap()
    }
}

/// Records to put into a shard, of each its key and its value.
#[derive(Clone)]
pub struct Put {
    pub shard: ShardNumber,
    pub records: Vec<(Bytes, Bytes)>,
}

pub fn record(key: &str, value: impl Into<Vec<u8>>) -> (Bytes, Bytes) {
    (key.to_owned().into(), value.into().into())
}

pub fn put(shard: ShardNumber, values: &[&str]) -> Put {
    Put {
        shard,
        records: values.iter().map(|v| record("k", *v)).collect(),
    }
}

/// Appends it all in one batch.
pub async fn append<'a>(log: &EmbeddedLog, batch: &'a [Put]) -> Vec<Result<Appended, AppendError>> {
    let record = |(key, value): &'a (Bytes, Bytes)| NewRecord { key, value };
    let records: Vec<Vec<_>> = batch
        .iter()
        .map(|put| put.records.iter().map(record).collect())
        .collect();
    let appends = batch.iter().zip(&records).map(|(put, records)| Append {
        shard: put.shard,
        records,
    });
    log.append(&appends.collect::<Vec<_>>()).await
}

/// All readable records of a shard, in as many reads as it takes.
pub async fn read_all(
    log: &EmbeddedLog,
    shard: ShardNumber,
    from: u64,
) -> Result<Vec<Record>, LogError> {
    let (mut records, mut next) = (Vec::new(), from);
    loop {
        let chunk = log
            .read(
                shard,
                next,
                ReadLimit {
                    records: 7,
                    bytes: 900,
                },
            )
            .await?;
        if chunk.records.is_empty() {
            return Ok(records);
        }
        records.extend(chunk.records);
        next = chunk.next;
    }
}

pub fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test)
}
