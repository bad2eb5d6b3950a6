//! The contract, kept by the embedded engine: on a folder, and on a disk whose calls from asynchronous tasks panic.

use std::{path::PathBuf, sync::Arc, time::Duration};

use headwater_env::{Env, ManualClock, SimDisk};
use headwater_types::Millis;

use crate::{
    EmbeddedLog, LogError, Options, ShardLog,
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
