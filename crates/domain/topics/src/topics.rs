//! All topics of a region: found, listed, and each subscription with its worker.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_catalog::{Catalog, Versioned};
use headwater_env::Env;
use headwater_log::{LogError, ReadLimit, Retention, ShardLog, ShardNumber};
use headwater_types::{Millis, kept::ShardSpace};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Mutex as TurnMutex, Semaphore, watch};

use crate::{
    Error, Place, Protocol, Subscription, SubscriptionMetrics, Topic, TopicMetrics,
    checkpoints::Checkpoints,
    counts::Counts,
    filter::Filter,
    limits::{KEPT_FOR, NOTICES_AT_ONCE, ROOM_KIB, SWEEP_EVERY},
    notices,
    ports::Endpoints,
    progress::Progress,
    record::Store,
    signing::Signer,
    worker::Worker,
};

/// All topics of a region.
pub struct Topics {
    pub(crate) world: Arc<World>,
    pub(crate) all: RwLock<All>,
    /// Held by a change from its look at what there is to its commit.
    pub(crate) changing: TurnMutex<()>,
    /// How many tokens are good.
    pub(crate) tokens: AtomicUsize,
    pub(crate) closed: watch::Sender<bool>,
}

/// The parts that all topics work with.
pub(crate) struct World {
    pub env: Env,
    pub store: Store,
    pub log: Arc<dyn ShardLog>,
    pub place: Place,
    pub endpoints: Arc<dyn Endpoints>,
    pub signer: Signer,
    /// The memory that messages are in, in KiB: of those for this server's own endpoints, and of those for addresses,
    /// which may hold it for long.
    pub room: [Arc<Semaphore>; 2],
    /// The places of requests to confirm that are under way.
    pub notices: Semaphore,
    pub checkpoints: Checkpoints,
}

impl World {
    /// The memory for messages of subscriptions with that protocol.
    pub fn room(&self, protocol: Protocol) -> Arc<Semaphore> {
        self.room[usize::from(protocol.is_web())].clone()
    }
}

/// The topics and subscriptions that there are.
#[derive(Default)]
pub(crate) struct All {
    pub topics: BTreeMap<String, Arc<TopicKept>>,
    /// By id.
    pub subscriptions: BTreeMap<String, Arc<Kept>>,
}

/// A topic that is there.
pub(crate) struct TopicKept {
    pub record: RwLock<Versioned<Topic>>,
    /// Its subscriptions by their ids.
    pub subscriptions: RwLock<BTreeMap<String, Arc<Kept>>>,
    pub published: AtomicU64,
    /// The time before which messages were let go of.
    floor: AtomicU64,
}

/// A subscription that is there.
pub(crate) struct Kept {
    pub topic: Arc<TopicKept>,
    pub record: RwLock<Versioned<Subscription>>,
    pub filter: RwLock<Option<Arc<Filter>>>,
    pub progress: Mutex<Progress>,
    pub counts: Counts,
    /// Set once it is deleted.
    pub gone: watch::Sender<bool>,
}

impl Topics {
    /// Opens the topics that the catalog has, whose subscriptions go on from where they were.
    ///
    /// # Errors
    /// When the catalog or the log fails.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        log: Arc<dyn ShardLog>,
        place: Place,
        endpoints: Arc<dyn Endpoints>,
    ) -> Result<Arc<Self>, Error> {
        let store = Store::new(catalog);
        let world = World {
            signer: Signer::new(env.clone(), store.signing.clone()),
            env,
            store,
            log,
            place,
            endpoints,
            room: [(); 2].map(|()| Arc::new(Semaphore::new(ROOM_KIB as usize / 2))),
            notices: Semaphore::new(NOTICES_AT_ONCE),
            checkpoints: Checkpoints::default(),
        };
        let this = Arc::new(Self {
            world: Arc::new(world),
            all: RwLock::default(),
            changing: TurnMutex::default(),
            tokens: AtomicUsize::new(0),
            closed: watch::Sender::new(false),
        });
        this.recover().await?;
        this.work_behind();
        Ok(this)
    }

    /// Takes in what the catalog has, and removes what a crash between two steps of a deletion has left.
    async fn recover(self: &Arc<Self>) -> Result<(), Error> {
        let World { store, log, .. } = &*self.world;
        for (_, record) in store.topics.all().await? {
            open_shard(&**log, record.value.shard(), Millis::ZERO).await?;
            self.add_topic(record);
        }
        let is_ours = |shard: &ShardNumber| shard.within(ShardSpace::Topics).is_some();
        let known: Vec<ShardNumber> = {
            let all = self.all.read();
            let topics = all.topics.values();
            topics
                .map(|topic| topic.record.read().value.shard())
                .collect()
        };
        let mut strays = log.shards().await?;
        strays.retain(|shard| is_ours(shard) && !known.contains(shard));
        log.remove_shards(&strays).await?;
        for (id, record) in store.subscriptions.all().await? {
            let progress = store.progress.get(&id).await?;
            self.add_subscription(record, progress.map(|row| row.value));
        }
        self.tokens.store(store.tokens.all().await?.len(), Relaxed);
        for (id, notice) in store.notices.all().await? {
            self.send_notice(id, notice.value);
        }
        Ok(())
    }

    /// Begins what is done once in a while, until the topics are closed or nobody has them any more.
    fn work_behind(self: &Arc<Self>) {
        let (world, mut closed) = (self.world.clone(), self.closed.subscribe());
        self.world.env.spawn(async move {
            tokio::select! {
                // An error means that whoever could close is gone.
                _ = closed.wait_for(|closed| *closed) => {}
                () = world.checkpoints.run(&world.env, &world.store) => {}
            }
        });
        let (this, mut closed) = (Arc::downgrade(self), self.closed.subscribe());
        let env = self.world.env.clone();
        self.world.env.spawn(async move {
            loop {
                tokio::select! {
                    _ = closed.wait_for(|closed| *closed) => return,
                    () = env.clock.sleep(SWEEP_EVERY) => {}
                }
                let Some(this) = this.upgrade() else { return };
                if let Err(error) = this.sweep().await {
                    tracing::warn!(%error, "what topics need no more could not be removed");
                }
            }
        });
    }

    /// Lets go of messages that every subscription has, and of what has expired.
    pub(crate) async fn sweep(self: &Arc<Self>) -> Result<(), Error> {
        let topics: Vec<Arc<TopicKept>> = self.all.read().topics.values().cloned().collect();
        for topic in topics {
            match self.trim(&topic).await {
                // It was deleted meanwhile.
                Err(Error::Log(LogError::Unknown(_))) => {}
                done => done?,
            }
        }
        self.expire().await
    }

    /// Lets go of the messages of a topic that every subscription has.
    async fn trim(&self, topic: &TopicKept) -> Result<(), Error> {
        let (log, shard) = (&self.world.log, topic.record.read().value.shard());
        let state = log.state(shard).await?;
        let firsts: Vec<u64> = {
            let subscriptions = topic.subscriptions.read();
            let confirmed = subscriptions.values().filter(|kept| kept.is_confirmed());
            confirmed.map(|kept| kept.progress.lock().first()).collect()
        };
        let first = firsts.into_iter().min().unwrap_or(state.end);
        let floor = match first < state.end {
            false => state.newest,
            true => {
                let one = ReadLimit {
                    records: 1,
                    bytes: 1,
                };
                let chunk = log.read(shard, first, one).await?;
                chunk
                    .records
                    .first()
                    .map_or(state.newest, |record| record.time)
            }
        };
        if floor.0 > topic.floor.load(Relaxed) {
            open_shard(&**log, shard, floor).await?;
            topic.floor.store(floor.0, Relaxed);
        }
        Ok(())
    }

    /// Where topics are.
    pub fn place(&self) -> &Place {
        &self.world.place
    }

    /// The topic of that name.
    ///
    /// # Errors
    /// [`Error::NoTopic`].
    pub fn topic(&self, name: &str) -> Result<Topic, Error> {
        Ok(self.topic_kept(name)?.record.read().value.clone())
    }

    /// The subscription with that id.
    ///
    /// # Errors
    /// [`Error::NoSubscription`].
    pub fn subscription(&self, id: &str) -> Result<Subscription, Error> {
        Ok(self.kept(id)?.record.read().value.clone())
    }

    /// At most `limit` names of topics behind `after`.
    pub fn list(&self, after: Option<&str>, limit: usize) -> Vec<String> {
        let all = self.all.read();
        let behind = |name: &&String| after.is_none_or(|after| name.as_str() > after);
        all.topics
            .keys()
            .filter(behind)
            .take(limit)
            .cloned()
            .collect()
    }

    /// At most `limit` subscriptions behind the id `after`, by their ids: of one topic, or of all.
    ///
    /// # Errors
    /// [`Error::NoTopic`].
    pub fn subscriptions(
        &self,
        topic: Option<&str>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Subscription>, Error> {
        let page = |of: &BTreeMap<String, Arc<Kept>>| {
            let behind = |id: &&String| after.is_none_or(|after| id.as_str() > after);
            let rest = of.iter().filter(|(id, _)| behind(id)).take(limit);
            rest.map(|(_, kept)| kept.record.read().value.clone())
                .collect()
        };
        Ok(match topic {
            Some(topic) => page(&self.topic_kept(topic)?.subscriptions.read()),
            None => page(&self.all.read().subscriptions),
        })
    }

    /// How many subscriptions of a topic are confirmed, and how many are not.
    ///
    /// # Errors
    /// [`Error::NoTopic`].
    pub fn count(&self, topic: &str) -> Result<(usize, usize), Error> {
        let topic = self.topic_kept(topic)?;
        let subscriptions = topic.subscriptions.read();
        let confirmed = subscriptions
            .values()
            .filter(|kept| kept.is_confirmed())
            .count();
        Ok((confirmed, subscriptions.len() - confirmed))
    }

    /// The certificate at that path of the server's own pages; none where the path is of none of ours.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn certificate(&self, path: &str) -> Result<Option<String>, Error> {
        let key = self.world.signer.known().await?;
        let key = key.filter(|key| self.world.place.certificate_path(&key.id) == path);
        Ok(key.map(|key| key.certificate.clone()))
    }

    /// What every topic has counted.
    pub fn metrics(&self) -> Vec<TopicMetrics> {
        let all = self.all.read();
        let of = |(name, topic): (&String, &Arc<TopicKept>)| TopicMetrics {
            topic: name.clone(),
            published: topic.published.load(Relaxed),
        };
        all.topics.iter().map(of).collect()
    }

    /// What every subscription has counted, and how many messages are read and not done.
    pub fn subscription_metrics(&self) -> Vec<(Subscription, SubscriptionMetrics, usize)> {
        let all = self.all.read();
        let of = |kept: &Arc<Kept>| {
            let open = kept.progress.lock().open.len();
            (
                kept.record.read().value.clone(),
                kept.counts.metrics(),
                open,
            )
        };
        all.subscriptions.values().map(of).collect()
    }

    /// Stops all work, and writes how far it is. What is under way is done again after the next start.
    ///
    /// # Errors
    /// When the catalog fails.
    pub async fn close(&self) -> Result<(), Error> {
        self.closed.send_replace(true);
        Ok(self.world.checkpoints.write(&self.world.store).await?)
    }

    pub(crate) fn topic_kept(&self, name: &str) -> Result<Arc<TopicKept>, Error> {
        let kept = self.all.read().topics.get(name).cloned();
        kept.ok_or_else(|| Error::NoTopic(name.to_owned()))
    }

    pub(crate) fn kept(&self, id: &str) -> Result<Arc<Kept>, Error> {
        let kept = self.all.read().subscriptions.get(id).cloned();
        kept.ok_or_else(|| Error::NoSubscription(id.to_owned()))
    }

    /// Takes a topic in.
    pub(crate) fn add_topic(&self, record: Versioned<Topic>) {
        let name = record.value.name.clone();
        let kept = TopicKept {
            record: RwLock::new(record),
            subscriptions: RwLock::default(),
            published: AtomicU64::new(0),
            floor: AtomicU64::new(0),
        };
        self.all.write().topics.insert(name, Arc::new(kept));
    }

    /// Takes a subscription in, and begins its work if it is confirmed.
    pub(crate) fn add_subscription(
        &self,
        record: Versioned<Subscription>,
        progress: Option<Progress>,
    ) {
        let id = record.value.id.clone();
        let Ok(topic) = self.topic_kept(&record.value.topic) else {
            // Both are made and removed in one commit.
            tracing::warn!(id, "a subscription has no topic");
            return;
        };
        let kept = Arc::new(Kept {
            filter: RwLock::new(filter_of(&record.value)),
            topic: topic.clone(),
            record: RwLock::new(record),
            progress: Mutex::new(progress.unwrap_or_default()),
            counts: Counts::default(),
            gone: watch::Sender::new(false),
        });
        topic.subscriptions.write().insert(id.clone(), kept.clone());
        self.all.write().subscriptions.insert(id, kept.clone());
        if kept.is_confirmed() {
            self.start(kept);
        }
    }

    /// Begins the work of a subscription that is confirmed.
    pub(crate) fn start(&self, kept: Arc<Kept>) {
        let worker = Worker {
            world: self.world.clone(),
            kept,
        };
        self.world.env.spawn(worker.run(self.closed.subscribe()));
    }

    /// Lets go of a subscription that was deleted.
    pub(crate) fn forget(&self, id: &str) {
        let Some(kept) = self.all.write().subscriptions.remove(id) else {
            return;
        };
        kept.topic.subscriptions.write().remove(id);
        kept.gone.send_replace(true);
    }

    pub(crate) fn send_notice(&self, id: String, notice: notices::Notice) {
        let (world, mut closed) = (self.world.clone(), self.closed.subscribe());
        self.world.env.spawn(async move {
            tokio::select! {
                // An error means that whoever could close is gone.
                _ = closed.wait_for(|closed| *closed) => {}
                () = notices::send(&world, &id, &notice) => {}
            }
        });
    }
}

impl Kept {
    pub fn is_confirmed(&self) -> bool {
        self.record.read().value.confirmed
    }

    /// Takes over a record that was written.
    pub fn take_over(&self, record: Versioned<Subscription>) {
        *self.filter.write() = filter_of(&record.value);
        *self.record.write() = record;
    }
}

/// A subscription's filter. What is kept was parsed before.
fn filter_of(subscription: &Subscription) -> Option<Arc<Filter>> {
    let settings = &subscription.settings;
    let parsed = Filter::parse(settings.filter.as_deref()?, settings.scope);
    match parsed {
        Ok(filter) => Some(Arc::new(filter)),
        Err(error) => {
            tracing::warn!(id = subscription.id, %error, "a filter that is kept cannot be read");
            None
        }
    }
}

/// Opens a topic's shard, of which messages before `floor` are needed no more.
pub(crate) async fn open_shard(
    log: &dyn ShardLog,
    shard: ShardNumber,
    floor: Millis,
) -> Result<(), LogError> {
    let period: Duration = KEPT_FOR;
    log.open_shards(&[shard], Retention { period, floor }).await
}
