//! The worker of one mapping: one task, which follows the stream's shards and runs a lane or several in each.
//!
//! It is there as long as the mapping is, also while that rests. A change of its settings reaches the lanes with their
//! next batch; lanes are made anew only where their number or the kind of windows changes, and each finishes the call
//! that it is in first.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use headwater_catalog::CatalogError;
use headwater_env::Env;
use headwater_log::{Source, SourceError, Sources};
use headwater_reading::Lineage;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::{
    counts::Counts,
    filter::Filters,
    lane::{End, Lane},
    limits::{RETRY_WAIT_MAX, RETRY_WAIT_MIN},
    ports::{Destinations, Handlers},
    progress::{Layout, ShardProgress},
    record::{Mapping, Store},
};

/// What came of the last batch, as AWS tells it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LastResult {
    /// There was none yet.
    #[default]
    None,
    /// It is done.
    Done,
    /// It is not, or the next cannot be read; why.
    Problem(String),
}

/// What all mappings work with.
#[derive(Clone)]
pub(crate) struct World {
    pub env: Env,
    pub store: Store,
    pub sources: Arc<dyn Sources>,
    pub handlers: Arc<dyn Handlers>,
    pub destinations: Arc<dyn Destinations>,
    /// The memory that batches work in, in KiB.
    pub work: Arc<Semaphore>,
}

/// A mapping as it is configured.
pub(crate) struct Configured {
    pub mapping: Mapping,
    pub filters: Filters,
    /// Whether it was deleted.
    pub is_gone: bool,
}

/// What a worker shares with those who look at its mapping or change it.
pub(crate) struct Shared {
    pub config: watch::Sender<Arc<Configured>>,
    pub counts: Counts,
    last_result: Mutex<LastResult>,
    /// Whether lanes are at work.
    is_working: AtomicBool,
}

/// Why a mapping does not come on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WorkError {
    #[error("{0}")]
    Source(#[from] SourceError),
    #[error("the stream was deleted and made anew; it is not the one that this mapping reads")]
    OtherStream,
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    #[error("{0}")]
    Handler(String),
    #[error("what is told of records that are given up could not be stored: {0}")]
    Destination(String),
}

impl Configured {
    fn works(&self) -> bool {
        self.mapping.enabled && !self.is_gone
    }

    /// Whether lanes that were made by `self` can go on under `now`.
    pub fn suits(&self, now: &Self) -> bool {
        let kind = |config: &Self| {
            let settings = &config.mapping.settings;
            (settings.lanes, settings.tumbling_s)
        };
        now.works() && kind(self) == kind(now)
    }
}

impl Shared {
    pub fn new(configured: Configured) -> Self {
        Self {
            config: watch::Sender::new(Arc::new(configured)),
            counts: Counts::default(),
            last_result: Mutex::default(),
            is_working: AtomicBool::new(false),
        }
    }

    pub fn configured(&self) -> Arc<Configured> {
        self.config.borrow().clone()
    }

    pub fn last_result(&self) -> LastResult {
        self.last_result.lock().clone()
    }

    pub fn is_working(&self) -> bool {
        self.is_working.load(Relaxed)
    }

    pub fn note(&self, result: LastResult) {
        *self.last_result.lock() = result;
    }
}

/// The worker of one mapping.
pub(crate) struct Worker {
    pub world: World,
    pub shared: Arc<Shared>,
}

type Running = FuturesUnordered<BoxFuture<'static, (String, End)>>;

impl Worker {
    /// Works until the mapping is deleted or `closed` is set.
    pub async fn run(self, mut closed: watch::Receiver<bool>) {
        tokio::select! {
            biased;
            // An error means that the sender which could set it is gone.
            _ = closed.wait_for(|closed| *closed) => {}
            () = self.supervise() => {}
        }
    }

    async fn supervise(&self) {
        let mut config = self.shared.config.subscribe();
        let mut wait = Duration::ZERO;
        loop {
            let asked = config.wait_for(|now| now.works() || now.is_gone).await;
            match asked.map(|now| now.is_gone) {
                Ok(false) => {}
                Ok(true) | Err(_) => return,
            }
            self.shared.is_working.store(true, Relaxed);
            let worked = AssertUnwindSafe(self.work()).catch_unwind().await;
            self.shared.is_working.store(false, Relaxed);
            let problem = match worked {
                Ok(Ok(())) => {
                    wait = Duration::ZERO;
                    continue;
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the mapping panicked; the server's log says where".to_owned(),
            };
            wait = (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX);
            let id = &self.shared.configured().mapping.id;
            tracing::warn!(mapping = id, problem, ?wait, "a mapping waits");
            self.shared.note(LastResult::Problem(problem));
            tokio::select! {
                () = self.world.env.clock.sleep(wait) => {}
                _ = config.changed() => {}
            }
        }
    }

    /// Runs lanes until they are asked to stop. They end by themselves only where their shard does.
    async fn work(&self) -> Result<(), WorkError> {
        let begun = self.shared.configured();
        let source = self.source(&begun.mapping).await?;
        let mut config = self.shared.config.subscribe();
        let (mut lineage, mut lanes) = (Lineage::default(), Running::new());
        // How many lanes of a shard are at work yet.
        let mut at_work: HashMap<String, usize> = HashMap::new();
        let clock = &*self.world.env.clock;
        while begun.suits(&config.borrow_and_update()) {
            lineage.refresh(&*source, clock).await?;
            for shard in lineage.readable() {
                if at_work.contains_key(&shard) {
                    continue;
                }
                let begun = self.begin(&begun, &source, &shard).await?;
                at_work.insert(shard, begun.len());
                lanes.extend(begun);
            }
            tokio::select! {
                Some((shard, end)) = lanes.next() => {
                    let left = at_work.get_mut(&shard).map(|left| { *left -= 1; *left });
                    match end {
                        End::Drained if left == Some(0) => {
                            at_work.remove(&shard);
                            lineage.drained(shard);
                        }
                        // The shard gets its new lanes now.
                        End::Level if left == Some(0) => drop(at_work.remove(&shard)),
                        _ => {}
                    }
                }
                () = clock.sleep(lineage.stale_in(clock)) => {}
                _ = config.changed() => {}
            }
        }
        while lanes.next().await.is_some() {}
        Ok(())
    }

    /// The lanes of a shard.
    async fn begin(
        &self,
        begun: &Arc<Configured>,
        source: &Arc<dyn Source>,
        shard: &str,
    ) -> Result<Vec<BoxFuture<'static, (String, End)>>, WorkError> {
        let Mapping { id, settings, .. } = &begun.mapping;
        let count = settings.lanes.max(1);
        let store = &self.world.store;
        let progress = ShardProgress::open(store, id, shard, count as usize).await?;
        let Layout { lanes, until } = progress.layout(count).await;
        let progress = Arc::new(progress);
        let lane = |number| {
            let lane = Lane {
                world: self.world.clone(),
                shared: self.shared.clone(),
                begun: begun.clone(),
                source: source.clone(),
                shard: shard.to_owned(),
                progress: progress.clone(),
                number,
                of: lanes,
                until,
            };
            lane.run().boxed()
        };
        Ok((0..lanes).map(lane).collect())
    }

    /// The stream; one that only has the name of the one that the mapping was made for is refused.
    async fn source(&self, mapping: &Mapping) -> Result<Arc<dyn Source>, WorkError> {
        let source = self.world.sources.open(&mapping.source).await?;
        if source.identity() != mapping.identity {
            return Err(WorkError::OtherStream);
        }
        Ok(source)
    }
}
