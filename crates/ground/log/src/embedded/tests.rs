//! The contract, kept by the embedded engine: on a folder, and on a disk whose calls from asynchronous tasks panic.

use std::{path::PathBuf, sync::Arc, time::Duration};

use headwater_env::{Env, ManualClock, SimDisk};
use headwater_types::Millis;

use crate::{
    Append, EmbeddedLog, LogError, NewRecord, Options, Retention, ShardLog, ShardNumber,
    testing::{Subject, contract},
};

/// A log under test, and the clock that it goes by.
struct Embedded {
    env: Env,
    clock: Arc<ManualClock>,
    options: Options,
}

impl Embedded {
    fn new(env: Env, options: Options) -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_000_000)));
        let env = Env {
            clock: clock.clone(),
            ..env
        };
        Self {
            env,
            clock,
            options,
        }
    }
}

impl Subject for Embedded {
    async fn open(&self) -> Arc<dyn ShardLog> {
        let log = EmbeddedLog::open(self.env.clone(), self.options.clone()).await;
        Arc::new(log.unwrap())
    }

    async fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_contract_holds_on_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    contract(&Embedded::new(Env::real(), Options::new(dir.path())), 0).await;
}

#[tokio::test]
async fn the_contract_holds_where_everything_is_soon_in_files() {
    for tail_cache_bytes in [0, 1000] {
        let env = Env {
            disk: Arc::new(SimDisk::new(1)),
            ..Env::real()
        };
        let options = Options {
            segment_bytes: 1000,
            preallocate_bytes: 0,
            tail_cache_bytes,
            maintain_every: None,
            ..Options::new(PathBuf::from("/log"))
        };
        contract(&Embedded::new(env, options), 1 << 56).await;
    }
}

#[tokio::test]
async fn one_folder_is_for_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let open = || EmbeddedLog::open(Env::real(), Options::new(dir.path()));
    let log = open().await.unwrap();
    let in_use = LogError::InUse {
        dir: dir.path().to_owned(),
    };
    assert_eq!(open().await.err(), Some(in_use));
    log.close().await;
    assert!(open().await.is_ok());
}

/// Also an append whose caller waits for nothing more.
#[tokio::test]
async fn what_has_a_time_shows_once_the_log_has_settled() {
    let env = Env {
        disk: Arc::new(SimDisk::new(1)),
        ..Env::real()
    };
    let options = Options::new(PathBuf::from("/log"));
    let log = EmbeddedLog::open(env, options).await.unwrap();
    let retention = Retention {
        period: Duration::from_secs(60),
        floor: Millis::ZERO,
    };
    let shard = ShardNumber(1);
    log.open_shards(&[shard], retention).await.unwrap();
    let records = [NewRecord {
        key: b"k",
        value: b"v",
    }];
    let append = Append {
        shard,
        records: &records,
    };
    for end in 1..20 {
        {
            let batch = [append];
            let mut appending = std::pin::pin!(log.append(&batch));
            let _is_done = futures_util::poll!(appending.as_mut());
        }
        log.settle().await.unwrap();
        assert_eq!(log.state(shard).await.unwrap().end, end);
    }
    log.close().await;
    assert_eq!(log.settle().await, Err(LogError::Closed));
}

#[tokio::test]
async fn what_a_log_takes_and_does_is_told() {
    let env = Env {
        disk: Arc::new(SimDisk::new(1)),
        ..Env::real()
    };
    let options = Options {
        segment_bytes: 1000,
        preallocate_bytes: 0,
        maintain_every: None,
        ..Options::new(PathBuf::from("/log"))
    };
    let log = EmbeddedLog::open(env, options).await.unwrap();
    let before = log.usage().await.unwrap();
    assert_eq!((before.shards, before.files, before.commits), (0, 1, 0));
    let retention = Retention {
        period: Duration::from_secs(60),
        floor: Millis::ZERO,
    };
    log.open_shards(&[ShardNumber(1)], retention).await.unwrap();
    let records = [NewRecord {
        key: b"k",
        value: &[7; 2000],
    }];
    for _ in 0..2 {
        let append = Append {
            shard: ShardNumber(1),
            records: &records,
        };
        log.append(&[append]).await.remove(0).unwrap();
    }
    let after = log.usage().await.unwrap();
    assert_eq!((after.shards, after.files, after.commits), (1, 2, 2));
    assert_eq!((after.answered, after.waiting.bytes), (2, 0));
    assert!(after.written_bytes > 4000 && after.written_bytes < 4200);
    assert!(after.disk_bytes > after.written_bytes && after.free_bytes > 0);
    assert!(after.tail.bytes > 4000 && after.tail.bytes < after.tail.of);
    assert!(after.index.bytes < after.index.of);
}
