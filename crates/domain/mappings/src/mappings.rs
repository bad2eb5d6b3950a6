//! All mappings of a server: found, listed, and each with its worker.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, Versioned};
use headwater_env::Env;
use headwater_log::Sources;
use headwater_types::Tallied;
use parking_lot::RwLock;
use tokio::sync::{Mutex, Semaphore, watch};

use crate::{
    Error, LastResult, Mapping, MappingMetrics, Trouble,
    limits::{MEASURING_MAX, WORK_KIB_MAX},
    ports::{Destinations, Handlers, Queues},
    record::Store,
    worker::{Configured, Shared, Worker, World},
};

/// All mappings.
pub struct Mappings {
    pub(crate) world: World,
    pub(crate) all: RwLock<BTreeMap<String, Arc<Kept>>>,
    /// Held by a change from its look at what there is to its commit.
    pub(crate) changing: Mutex<()>,
    closed: watch::Sender<bool>,
}

/// A mapping that is there.
pub(crate) struct Kept {
    pub record: RwLock<Versioned<Mapping>>,
    pub shared: Arc<Shared>,
}

impl Mappings {
    /// Opens the mappings that the catalog has, which go on from their checkpoints.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        sources: Arc<dyn Sources>,
        queues: Arc<dyn Queues>,
        handlers: Arc<dyn Handlers>,
        destinations: Arc<dyn Destinations>,
    ) -> Result<Arc<Self>, Error> {
        let world = World {
            env,
            store: Store::new(catalog),
            sources,
            queues,
            handlers,
            destinations,
            work: Arc::new(Semaphore::new(WORK_KIB_MAX as usize)),
            reads: Arc::new(Semaphore::new(MEASURING_MAX)),
        };
        let this = Arc::new(Self {
            world,
            all: RwLock::default(),
            changing: Mutex::default(),
            closed: watch::Sender::new(false),
        });
        let store = &this.world.store;
        for (id, _) in store.deleted.all().await? {
            store.clear(&id).await?;
        }
        for (_, record) in store.mappings.all().await? {
            this.start(record);
        }
        Ok(this)
    }

    /// The mapping with this id.
    pub fn get(&self, id: &str) -> Result<Mapping, Error> {
        Ok(self.kept(id)?.record.read().value.clone())
    }

    /// The mappings that `is_wanted`, by their ids, behind `after`; up to `limit`.
    pub fn list(
        &self,
        after: Option<&str>,
        limit: usize,
        is_wanted: impl Fn(&Mapping) -> bool,
    ) -> Vec<Mapping> {
        let all = self.all.read();
        let behind = |id: &&String| after.is_none_or(|after| id.as_str() > after);
        let rest = all.iter().filter(|(id, _)| behind(id));
        let records = rest.map(|(_, kept)| kept.record.read().value.clone());
        records.filter(is_wanted).take(limit).collect()
    }

    /// What came of a mapping's last batch.
    pub fn last_result(&self, id: &str) -> Result<LastResult, Error> {
        Ok(self.kept(id)?.shared.last_result())
    }

    /// Whether a mapping's lanes are at work; for a while yet after it was told to rest.
    pub fn is_working(&self, id: &str) -> Result<bool, Error> {
        Ok(self.kept(id)?.shared.is_working())
    }

    /// What holds a mapping up for the longest time, if anything does.
    pub fn trouble(&self, id: &str) -> Option<Trouble> {
        self.kept(id).ok()?.shared.counts.trouble()
    }

    /// What every mapping has counted.
    pub fn metrics(&self) -> Vec<(Mapping, MappingMetrics)> {
        let all = self.all.read();
        let of = |kept: &Arc<Kept>| {
            (
                kept.record.read().value.clone(),
                kept.shared.counts.metrics(),
            )
        };
        all.values().map(of).collect()
    }

    /// How old, in milliseconds, the newest record of each batch was that a mapping was done with since this was asked
    /// last: for one who publishes it.
    pub fn take_ages(&self) -> Vec<(Mapping, Option<Tallied>)> {
        let all = self.all.read();
        let of = |kept: &Arc<Kept>| {
            let ages = kept.shared.counts.take_ages();
            (kept.record.read().value.clone(), ages)
        };
        all.values().map(of).collect()
    }

    /// Stops all work. What is under way is done again after the next start.
    pub fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(crate) fn kept(&self, id: &str) -> Result<Arc<Kept>, Error> {
        let kept = self.all.read().get(id).cloned();
        kept.ok_or_else(|| Error::NotFound(id.to_owned()))
    }

    /// Takes a mapping in, and begins its work.
    pub(crate) fn start(&self, record: Versioned<Mapping>) {
        let mapping = record.value.clone();
        let id = mapping.id.clone();
        let shared = Arc::new(Shared::new(Configured::of(mapping)));
        let worker = Worker {
            world: self.world.clone(),
            shared: shared.clone(),
        };
        let kept = Kept {
            record: RwLock::new(record),
            shared,
        };
        self.all.write().insert(id, Arc::new(kept));
        self.world.env.spawn(worker.run(self.closed.subscribe()));
    }
}
