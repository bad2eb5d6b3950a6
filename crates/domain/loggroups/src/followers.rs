//! The tasks that follow groups, by name: begun, and ended with what they are for.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_log::ShardLog;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::{
    limits::{FOLLOWERS_AT_ONCE, WAIT_MAX, WAIT_MIN},
    ports::{Counts, Destinations},
};

/// The parts that all followers work with.
pub(crate) struct World {
    pub env: Env,
    pub catalog: Arc<dyn Catalog>,
    pub log: Arc<dyn ShardLog>,
    /// The places of followers that have events in memory.
    pub places: Semaphore,
}

impl World {
    pub fn new(env: Env, catalog: Arc<dyn Catalog>, log: Arc<dyn ShardLog>) -> Self {
        Self {
            env,
            catalog,
            log,
            places: Semaphore::new(FOLLOWERS_AT_ONCE),
        }
    }
}

/// Where messages of subscriptions go, and for whom.
pub(crate) struct Delivering {
    /// The account that the groups are of.
    pub account: String,
    pub destinations: Arc<dyn Destinations>,
}

/// Where counted values go.
pub(crate) type Counting = Arc<dyn Counts>;

/// The tasks that run. One whose entry is dropped ends.
#[derive(Default)]
pub(crate) struct Followers(Mutex<BTreeMap<String, watch::Sender<()>>>);

/// Why a follower does not go on.
#[derive(Debug)]
pub(crate) enum Halt {
    /// What it is for is gone.
    Gone,
    /// Something failed that may work later.
    Failed(String),
}

impl Followers {
    /// Begins a follower under a name, in the place of the one that had it. `step` is made again and again, with a wait
    /// after each failure.
    pub fn begin<F: Follower>(&self, env: &Env, name: String, follower: F) {
        let (running, mut ended) = watch::channel(());
        self.0.lock().insert(name.clone(), running);
        let clock = env.clock.clone();
        env.spawn(async move {
            let work = supervise(&name, follower, &*clock);
            tokio::select! {
                biased;
                // Nothing is ever sent: it is an error, and means that the entry is gone.
                _ = ended.changed() => {}
                () = work => {}
            }
        });
    }

    /// Ends the follower of that name.
    pub fn end(&self, name: &str) {
        self.0.lock().remove(name);
    }

    /// Ends those whose names begin so.
    pub fn end_all(&self, start: &str) {
        self.0.lock().retain(|name, _| !name.starts_with(start));
    }
}

/// A task that follows a group.
pub(crate) trait Follower: Send + 'static {
    /// Waits for what there is to do, and does some of it.
    fn step(&mut self) -> impl Future<Output = Result<(), Halt>> + Send;
}

async fn supervise(name: &str, mut follower: impl Follower, clock: &dyn headwater_env::Clock) {
    let mut wait = std::time::Duration::ZERO;
    loop {
        match follower.step().await {
            Ok(()) => wait = std::time::Duration::ZERO,
            Err(Halt::Gone) => return,
            Err(Halt::Failed(problem)) => {
                wait = (wait * 2).clamp(WAIT_MIN, WAIT_MAX);
                tracing::warn!(
                    follower = name,
                    problem,
                    ?wait,
                    "a follower of a log group waits"
                );
                clock.sleep(wait).await;
            }
        }
    }
}
