//! All delivery streams: opening, describing and feeding them. How they change is in `changes`.

mod changes;
mod error;
mod places;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
};

use bytes::Bytes;
use headwater_catalog::{Catalog, CatalogError, Versioned};
use headwater_env::Env;
use headwater_log::ShardLog;
use headwater_sealing::Sealer;
use headwater_types::Arn;
use parking_lot::{Mutex, RwLock};
use serde_json::Value;
use tokio::sync::watch;

pub use self::{error::DeliveryError, places::Places};
use crate::{
    budget::{Budget, InUse},
    config::{Destination, Encryption, NewOrigin, Origin, StreamRecord},
    engine::Engine,
    execute::Executor,
    incidents::{Incident, Incidents},
    intent::{Family, Progress, Store},
    limits::{PUT_BYTES_MAX, PUT_RECORDS_MAX, RECORD_BYTES_MAX, STREAMS_MAX},
    ports::Ports,
    quota::{Limiter, Quotas},
    reading::{self, DirectShard},
    status::TakenCounters,
};

/// A delivery stream to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewStream {
    /// Its name.
    pub name: String,
    /// Its id, from [`Deliveries::new_id`].
    pub id: String,
    /// Its ARN.
    pub arn: Arn,
    /// Where its records come from.
    pub origin: NewOrigin,
    /// Where they go.
    pub destination: Destination,
    /// The door's description of it.
    pub description: Value,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Whether what is put into it waits encrypted; refused where it reads a stream.
    pub encryption: Option<Encryption>,
}

/// Records that were put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// For each record its id, or none where the quota had no room for it.
    pub ids: Vec<Option<String>>,
    /// Whether those that were taken wait encrypted.
    pub encrypted: bool,
}

/// How deliveries are to be.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The family of deliveries that these are.
    pub family: Family,
    /// The quotas of direct puts into each delivery stream; without them there is no bound.
    pub quotas: Option<Quotas>,
    /// A folder for records on their way to partitions: of no use to a later process.
    pub spool: PathBuf,
    /// The memory that they work in; deliveries that are given the same one share it.
    pub budget: Budget,
}

/// The delivery streams of a server, and the engines that run them.
pub struct Deliveries {
    pub(crate) env: Env,
    store: Store,
    log: Arc<dyn ShardLog>,
    sealer: Arc<Sealer>,
    ports: Ports,
    options: Options,
    pub(crate) running: RwLock<BTreeMap<String, Arc<Running>>>,
    /// Locked while a stream is made, changed or removed, so that the catalog and `running` agree.
    changing: tokio::sync::Mutex<()>,
}

pub(crate) struct Running {
    pub engine: Arc<Engine>,
    limiter: Option<Mutex<Limiter>>,
    /// Counts of the records that were put into it.
    pub taken: TakenCounters,
    stop: watch::Sender<bool>,
}

impl Deliveries {
    /// Opens what the catalog holds and starts all engines. The domains behind the ports must be open already.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        ports: Ports,
        options: Options,
    ) -> Result<Arc<Self>, CatalogError> {
        let sealer = Arc::new(Sealer::open(&env, &catalog).await?);
        let store = Store::new(catalog, options.family);
        let this = Arc::new(Self {
            env,
            store,
            log,
            sealer,
            ports,
            options,
            running: RwLock::default(),
            changing: Default::default(),
        });
        this.recount().await?;
        let streams = this.store.streams.all().await?;
        let shard = |stream: &StreamRecord| match stream.origin {
            Origin::Direct { shard } => Some(shard),
            Origin::Stream { .. } => None,
        };
        let known: HashSet<u64> = streams
            .iter()
            .filter_map(|(_, found)| shard(&found.value))
            .collect();
        if this.options.family == Family::Streams {
            let removed =
                reading::remove_strays(&*this.log, |number| known.contains(&number)).await;
            if let Err(error) = removed {
                tracing::warn!(%error, "records of deleted delivery streams stay until the next start");
            }
        }
        for (_, found) in streams {
            let progress = this.store.progress.get(&found.value.id).await?;
            let progress = progress.map(|found| found.value).unwrap_or_default();
            this.start(found.value, &progress).await;
        }
        Ok(this)
    }

    /// Stops all engines and waits until they have; what they were doing is done again after the next start.
    pub async fn close(&self) {
        let _no_change = self.changing.lock().await;
        let running: Vec<_> = std::mem::take(&mut *self.running.write())
            .into_values()
            .collect();
        for running in &running {
            running.stop.send_replace(true);
        }
        for running in running {
            running.stop.closed().await;
        }
    }

    /// An id that no delivery had before.
    pub fn new_id(&self) -> String {
        self.env.random.uuid()
    }

    async fn start(&self, stream: StreamRecord, progress: &Progress) {
        let direct = match stream.origin {
            Origin::Direct { shard } => {
                let shard =
                    DirectShard::new(self.log.clone(), shard, stream.created, self.sealer.clone());
                if let Err(error) = shard.open(progress.delivered_until).await {
                    let stream = stream.name.as_str();
                    tracing::warn!(stream, %error, "records cannot be put yet: the delivery tries again");
                }
                Some(shard)
            }
            Origin::Stream { .. } => None,
        };
        let name = stream.name.clone();
        let (env, ports) = (self.env.clone(), self.ports.clone());
        let (budget, spool) = (self.options.budget.clone(), self.options.spool.clone());
        let (incident, swept) = (Incidents::default(), AtomicBool::new(false));
        let executor = Executor {
            env,
            ports,
            budget,
            spool,
            incident,
            swept,
        };
        let engine = Engine::new(executor, stream, self.store.clone(), direct);
        engine.reached(progress);
        let (stop, stopped) = watch::channel(false);
        self.env.spawn(engine.clone().run(stopped));
        let limiter = self
            .options
            .quotas
            .map(|quotas| Mutex::new(Limiter::new(quotas)));
        self.running.write().insert(
            name,
            Arc::new(Running {
                engine,
                limiter,
                taken: TakenCounters::default(),
                stop,
            }),
        );
    }

    /// A delivery stream as the catalog has it.
    pub async fn describe(&self, name: &str) -> Result<StreamRecord, DeliveryError> {
        Ok(self.get(name).await?.value)
    }

    async fn get(&self, name: &str) -> Result<Versioned<StreamRecord>, DeliveryError> {
        let found = self.store.streams.get(name).await?;
        found.ok_or_else(|| DeliveryError::NotFound(name.to_owned()))
    }

    /// At most `limit` streams with names after `after`, in order, that `is_wanted`; and whether there are more.
    pub async fn list(
        &self,
        after: Option<&str>,
        limit: usize,
        is_wanted: impl Fn(&StreamRecord) -> bool,
    ) -> Result<(Vec<StreamRecord>, bool), DeliveryError> {
        let found = self.store.streams.scan("", after, STREAMS_MAX).await?;
        let mut wanted = found
            .into_iter()
            .map(|(_, found)| found.value)
            .filter(is_wanted);
        let page = wanted.by_ref().take(limit).collect();
        Ok((page, wanted.next().is_some()))
    }

    /// Puts those of the records that its quotas have room for into a delivery stream, with one append; durable when it
    /// returns.
    pub async fn put(&self, name: &str, records: Vec<Bytes>) -> Result<Accepted, DeliveryError> {
        let running = self.running.read().get(name).cloned();
        let running = running.ok_or_else(|| DeliveryError::NotFound(name.to_owned()))?;
        let Some(shard) = &running.engine.direct else {
            return Err(DeliveryError::NotDirect(name.to_owned()));
        };
        let (count, bytes) = (records.len(), records.iter().map(Bytes::len).sum::<usize>());
        let fits = count <= PUT_RECORDS_MAX && bytes <= PUT_BYTES_MAX;
        if !fits || records.iter().any(|record| record.len() > RECORD_BYTES_MAX) {
            return Err(DeliveryError::TooLarge);
        }
        let Some(admitted) = self.admit(&running, &records) else {
            running.taken.throttled(count);
            return Err(DeliveryError::Throttled(name.to_owned()));
        };
        let taken = records.into_iter().zip(&admitted);
        let taken: Vec<_> = taken.filter(|(_, is)| **is).map(|(data, _)| data).collect();
        let (count, bytes) = (taken.len(), taken.iter().map(Bytes::len).sum());
        running.taken.throttled(admitted.len() - count);
        let encrypted = running.engine.stream().encryption.is_some();
        if !taken.is_empty() {
            shard.append(taken, encrypted).await?;
            running.taken.took(count, bytes);
        }
        let id = |is_in: bool| is_in.then(|| reading::record_id(&*self.env.random));
        let ids = admitted.into_iter().map(id).collect();
        Ok(Accepted { ids, encrypted })
    }

    /// Which of the records the quota has room for; nothing where it has none for the call.
    fn admit(&self, running: &Running, records: &[Bytes]) -> Option<Vec<bool>> {
        let Some(limiter) = &running.limiter else {
            return Some(vec![true; records.len()]);
        };
        let now = self.env.clock.elapsed();
        limiter.lock().admit(now, records.iter().map(Bytes::len))
    }

    /// All delivery streams as they are configured now, from memory.
    pub fn streams(&self) -> Vec<Arc<StreamRecord>> {
        let running = self.running.read();
        running.values().map(|of| of.engine.stream()).collect()
    }

    /// The delivery streams that something stops at the moment, and what.
    pub fn incidents(&self) -> Vec<(String, Incident)> {
        let running = self.running.read();
        let incident = |running: &Running| running.engine.executor.incident.current();
        running
            .iter()
            .filter_map(|(name, running)| Some((name.clone(), incident(running)?)))
            .collect()
    }

    /// The memory that they work in.
    pub fn memory(&self) -> [InUse; 2] {
        self.options.budget.in_use()
    }
}
