//! The worker of one mapping: one task, which follows the stream's shards and runs a lane or several in each, or polls the
//! queue.
//!
//! The worker is there as long as the mapping is, also while that rests. A change of settings reaches the lanes with their
//! next call; lanes are made anew only where their number or the length of windows changes.

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
use headwater_catalog::{CatalogError, Expect};
use headwater_env::Env;
use headwater_log::{Source, SourceError, SourceRecord, Sources};
use headwater_reading::Lineage;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};

use crate::{
    counts::Counts,
    filter::Filters,
    lane::{End, Lane},
    limits::{RETRY_WAIT_MAX, RETRY_WAIT_MIN, ROWS_A_COMMIT},
    poller::Poller,
    ports::{Destinations, Handlers, Queues},
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
    pub queues: Arc<dyn Queues>,
    pub handlers: Arc<dyn Handlers>,
    pub destinations: Arc<dyn Destinations>,
    /// The memory that batches work in, in KiB.
    pub work: Arc<Semaphore>,
    /// The places of lanes that measure.
    pub reads: Arc<Semaphore>,
}

/// A mapping as it is configured.
pub(crate) struct Configured {
    pub mapping: Mapping,
    pub filters: Filters,
    /// Why its filters cannot be read, if they cannot: they were kept by a version that took more.
    pub fault: Option<String>,
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
}

impl Configured {
    /// A mapping as it is kept.
    pub fn of(mapping: Mapping) -> Self {
        let (filters, fault) = match Filters::parse(&mapping.settings.filters) {
            Ok(filters) => (filters, None),
            Err(error) => (Filters::default(), Some(error.to_string())),
        };
        Self {
            mapping,
            filters,
            fault,
            is_gone: false,
        }
    }

    /// A mapping that was deleted.
    pub fn gone(mapping: Mapping) -> Self {
        let is_gone = true;
        Self {
            is_gone,
            ..Self::of(mapping)
        }
    }

    /// Whether a record of a shard matches its filters.
    pub fn wants(&self, shard: &str, record: &SourceRecord) -> bool {
        let form = self.mapping.form();
        self.filters.match_record(form, shard, record)
    }

    /// Whether its lanes are to work.
    pub fn works(&self) -> bool {
        self.mapping.enabled && self.fault.is_none() && !self.is_gone
    }

    /// Whether lanes that were made by `self` can go on under `now`.
    fn suits(&self, now: &Self) -> bool {
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
        let fault = self.configured().fault.clone();
        fault.map_or_else(|| self.last_result.lock().clone(), LastResult::Problem)
    }

    /// Returns once the mapping is configured otherwise than by `config`.
    pub async fn changed_from(&self, config: &Arc<Configured>) {
        let mut now = self.config.subscribe();
        // An error means that the mapping is gone, and with it whoever works for it.
        let _ = now.wait_for(|now| !Arc::ptr_eq(now, config)).await;
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
        let clock = &*self.world.env.clock;
        let mut config = self.shared.config.subscribe();
        let mut wait = Duration::ZERO;
        loop {
            let asked = config.wait_for(|now| now.works() || now.is_gone).await;
            match asked.map(|now| now.is_gone) {
                Ok(false) => {}
                Ok(true) | Err(_) => return self.clear().await,
            }
            let began = clock.elapsed();
            self.shared.is_working.store(true, Relaxed);
            let worked = AssertUnwindSafe(self.work()).catch_unwind().await;
            self.shared.is_working.store(false, Relaxed);
            if clock.elapsed().saturating_sub(began) > RETRY_WAIT_MAX {
                wait = Duration::ZERO;
            }
            let problem = match worked {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the mapping panicked; the server's log says where".to_owned(),
            };
            wait = (wait * 2).clamp(RETRY_WAIT_MIN, RETRY_WAIT_MAX);
            let id = &self.shared.configured().mapping.id;
            tracing::warn!(mapping = id, problem, ?wait, "a mapping waits");
            self.shared.note(LastResult::Problem(problem));
            let _blocked = self.shared.counts.blocked(self.world.env.clock.now(), None);
            tokio::select! {
                () = clock.sleep(wait) => {}
                _ = config.changed() => {}
            }
        }
    }

    /// Removes what is left of a mapping that was deleted. Should that fail, the next start does it.
    async fn clear(&self) {
        let id = &self.shared.configured().mapping.id;
        if let Err(error) = self.world.store.clear(id).await {
            tracing::warn!(mapping = id, %error, "what a deleted mapping left could not be removed");
        }
    }

    /// Runs lanes until others are wanted or something fails, and then until each has ended the call that it is in: no
    /// batch is called with while an older one of its keys still is.
    async fn work(&self) -> Result<(), WorkError> {
        if self.shared.configured().mapping.is_of_queue() {
            let poller = Poller::new(self.world.clone(), self.shared.clone());
            poller.run().await;
            return Ok(());
        }
        let (stop, mut lanes) = (watch::Sender::new(false), Running::new());
        let worked = self.follow(&stop, &mut lanes).await;
        stop.send_replace(true);
        while lanes.next().await.is_some() {}
        worked
    }

    /// Begins lanes in every shard that may be read. They end by themselves only where their shard does.
    async fn follow(
        &self,
        stop: &watch::Sender<bool>,
        lanes: &mut Running,
    ) -> Result<(), WorkError> {
        let mut config = self.shared.config.subscribe();
        let clock = &*self.world.env.clock;
        let wanted = self.shared.configured();
        let source = self.source(&wanted.mapping).await?;
        let mut lineage = Lineage::default();
        lineage.refresh(&*source, clock).await?;
        self.forget_gone(&wanted.mapping.id, &lineage).await?;
        // How many lanes of a shard are at work yet.
        let mut at_work: HashMap<String, usize> = HashMap::new();
        while wanted.suits(&config.borrow_and_update()) {
            lineage.refresh(&*source, clock).await?;
            for shard in lineage.readable() {
                if at_work.contains_key(&shard) {
                    continue;
                }
                let made = self.lanes_of(&wanted, &source, &shard, stop).await?;
                at_work.insert(shard, made.len());
                lanes.extend(made);
            }
            let (shard, end) = tokio::select! {
                Some(ended) = lanes.next() => ended,
                () = clock.sleep(lineage.stale_in(clock)) => continue,
                _ = config.changed() => continue,
            };
            let left = at_work.get_mut(&shard).map(|left| {
                *left -= 1;
                *left
            });
            match end {
                End::Drained if left == Some(0) => {
                    at_work.remove(&shard);
                    lineage.drained(shard);
                    lineage.refresh(&*source, clock).await?;
                    self.forget_gone(&wanted.mapping.id, &lineage).await?;
                }
                // The shard gets its new lanes now.
                End::Level if left == Some(0) => drop(at_work.remove(&shard)),
                End::Drained | End::Level => {}
                End::Stopped => return Ok(()),
            }
        }
        Ok(())
    }

    /// The lanes of a shard.
    async fn lanes_of(
        &self,
        wanted: &Configured,
        source: &Arc<dyn Source>,
        shard: &str,
        stop: &watch::Sender<bool>,
    ) -> Result<Vec<BoxFuture<'static, (String, End)>>, WorkError> {
        let Mapping { id, settings, .. } = &wanted.mapping;
        let count = settings.lanes.max(1);
        let store = &self.world.store;
        let progress = ShardProgress::open(store, id, shard, count as usize).await?;
        let Layout { lanes, until } = progress.layout(count).await;
        // Lanes that are to be level first are older than the windows, or than their end.
        let has_windows = lanes == 1 && until.is_none();
        let progress = Arc::new(progress);
        let lane = |number| {
            let lane = Lane {
                world: self.world.clone(),
                shared: self.shared.clone(),
                source: source.clone(),
                shard: shard.to_owned(),
                progress: progress.clone(),
                number,
                of: lanes,
                until,
                tumbling: settings.tumbling().filter(|_| has_windows),
                stop: stop.subscribe(),
            };
            lane.run().boxed()
        };
        Ok((0..lanes).map(lane).collect())
    }

    /// Removes how far the mapping was in shards that are gone.
    async fn forget_gone(&self, id: &str, lineage: &Lineage) -> Result<(), CatalogError> {
        let progress = &self.world.store.progress;
        let mut after = None;
        loop {
            let page = progress
                .scan(&format!("{id}/"), after.as_deref(), ROWS_A_COMMIT)
                .await?;
            let Some((last, _)) = page.last() else {
                return Ok(());
            };
            after = Some(last.clone());
            let shard = |name: &str| name.rsplit('/').next().map(str::to_owned);
            let names = page.iter().map(|(name, _)| name);
            for name in names.filter(|name| shard(name).is_some_and(|it| !lineage.is_listed(&it))) {
                progress.remove(name, Expect::Any).await?;
            }
        }
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
