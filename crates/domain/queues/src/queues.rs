//! All queues of one installation: which there are, and the way to their workers.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Expect, Versioned};
use headwater_env::Env;
use headwater_log::{Source, Sources};
use headwater_types::{Arn, Millis};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Action, Attributes, Error, Kind, QueueRecord, Receipt, ReceiptError, Receive, Received, Start,
    Tags,
    limits::{CALLS, MAX_TAGS},
    record::{Position, Store},
    worker::{Call, Worker},
};

/// A queue to make.
#[derive(Debug, Clone)]
pub struct NewQueue {
    /// Its name.
    pub name: String,
    /// The stream that it delivers from.
    pub stream: Arn,
    /// When that stream was made.
    pub stream_created: Millis,
    /// The oldest time that can be read of it.
    pub horizon: Millis,
    /// How many queues the stream may have.
    pub places: usize,
    /// Where delivery begins.
    pub start: Start,
    /// How it delivers.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

/// All queues.
pub struct Queues {
    env: Env,
    store: Store,
    sources: Arc<dyn Sources>,
    known: RwLock<Known>,
    /// Held during a change, so that changes of this process follow each other; those of others are noticed by the
    /// catalog's versions.
    changing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    by_id: BTreeMap<String, Arc<Queue>>,
    ids: BTreeMap<String, String>,
}

/// A queue and the way to its worker.
struct Queue {
    shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
    /// Told when the worker has ended.
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

/// What a worker sees of its queue.
pub(crate) struct Shared {
    pub id: String,
    pub record: RwLock<Versioned<QueueRecord>>,
}

impl Queues {
    /// Opens the queues that the catalog knows, and finishes the deletions that were under way.
    pub async fn open(
        env: Env,
        catalog: Arc<dyn Catalog>,
        sources: Arc<dyn Sources>,
    ) -> Result<Arc<Self>, Error> {
        let store = Store::new(catalog);
        for (id, _) in store.deleted.all().await? {
            store.clean(&id).await?;
        }
        let found = store.queues.all().await?;
        let changing = tokio::sync::Mutex::default();
        let queues = Arc::new(Self {
            env,
            store,
            sources,
            known: RwLock::default(),
            changing,
        });
        found
            .into_iter()
            .for_each(|(_, record)| queues.start(record));
        Ok(queues)
    }

    /// Makes a queue known and starts its worker.
    fn start(&self, record: Versioned<QueueRecord>) {
        let (calls, receiver) = mpsc::channel(CALLS);
        let (ending, ended) = oneshot::channel();
        let (id, name) = (record.value.id.clone(), record.value.name.clone());
        let shared = Arc::new(Shared {
            id: id.clone(),
            record: RwLock::new(record),
        });
        let worker = Worker::new(
            self.env.clone(),
            self.store.clone(),
            self.sources.clone(),
            shared.clone(),
        );
        self.env.spawn(async move {
            worker.run(receiver).await;
            // Only a deletion waits for it.
            drop(ending);
        });
        let queue = Arc::new(Queue {
            shared,
            calls,
            ended: Mutex::new(Some(ended)),
        });
        let mut known = self.known.write();
        known.ids.insert(name, id.clone());
        known.by_id.insert(id, queue);
    }

    /// The queue with this id, as it is now.
    pub fn get(&self, id: &str) -> Result<QueueRecord, Error> {
        Ok(self.queue(id)?.shared.record.read().value.clone())
    }

    /// Who may use a queue, as its owner wrote it.
    pub fn policy(&self, id: &str) -> Result<Option<Arc<str>>, Error> {
        Ok(self.queue(id)?.shared.record.read().value.policy.clone())
    }

    fn queue(&self, id: &str) -> Result<Arc<Queue>, Error> {
        self.known
            .read()
            .by_id
            .get(id)
            .cloned()
            .ok_or_else(|| Error::NoQueue(id.to_owned()))
    }

    /// At most `limit` queues that `wants` wants and whose names come after `after`, in order of their names, and
    /// whether there are more.
    pub fn list(
        &self,
        after: Option<&str>,
        limit: usize,
        wants: impl Fn(&QueueRecord) -> bool,
    ) -> (Vec<QueueRecord>, bool) {
        use std::ops::Bound::{Excluded, Unbounded};
        let known = self.known.read();
        let ids = known
            .ids
            .range::<str, _>((after.map_or(Unbounded, Excluded), Unbounded));
        let records = ids.map(|(_, id)| known.by_id[id].shared.record.read().value.clone());
        let mut wanted = records.filter(wants);
        let page: Vec<_> = wanted.by_ref().take(limit).collect();
        let has_more = wanted.next().is_some();
        (page, has_more)
    }

    /// How many queues a stream has.
    pub fn count_of(&self, stream: &Arn) -> usize {
        let known = self.known.read();
        known
            .by_id
            .values()
            .filter(|queue| queue.shared.record.read().value.stream == *stream)
            .count()
    }

    /// Makes a queue; it delivers when this returns.
    pub async fn create(self: &Arc<Self>, new: NewQueue) -> Result<QueueRecord, Error> {
        let this = self.clone();
        self.env
            .to_the_end(async move { this.create_now(new).await })
            .await
    }

    async fn create_now(&self, new: NewQueue) -> Result<QueueRecord, Error> {
        let _one = self.changing.lock().await;
        if self.known.read().ids.contains_key(&new.name) {
            return Err(Error::QueueExists(new.name));
        }
        if new.tags.len() > MAX_TAGS {
            return Err(Error::TooManyTags);
        }
        if self.count_of(&new.stream) >= new.places {
            return Err(Error::TooManyQueues);
        }
        let source = self.sources.open(&new.stream).await?;
        let positions = first_positions(&*source, new.start).await?;
        let record = self.new_record(new, source.identity());
        let store = &self.store;
        let id = &record.id;
        let mut changes = vec![
            store.names.put(&record.name, id, Expect::Absent),
            store.queues.put(id, &record, Expect::Absent),
        ];
        let position = |(shard, next)| {
            store
                .positions
                .put(&format!("{id}/{shard}"), &Position { next }, Expect::Absent)
        };
        changes.extend(positions.into_iter().map(position));
        let versions = store
            .catalog
            .commit(changes)
            .await
            .map_err(|error| match error {
                CatalogError::Conflict { .. } => Error::QueueExists(record.name.clone()),
                other => other.into(),
            })?;
        self.start(Versioned {
            value: record.clone(),
            version: versions[1],
        });
        tracing::info!(queue = record.name, id = record.id, stream = %record.stream, "queue created");
        Ok(record)
    }

    fn new_record(&self, new: NewQueue, identity: String) -> QueueRecord {
        let now = self.env.clock.now();
        let start_time = match new.start {
            Start::Latest => now,
            Start::TrimHorizon => new.horizon,
            Start::Time(time) => time.max(new.horizon),
        };
        QueueRecord {
            id: self.env.random.uuid(),
            name: new.name,
            created: now,
            stream: new.stream,
            stream_created: new.stream_created,
            identity,
            start: new.start,
            start_time,
            attributes: new.attributes,
            tags: new.tags,
            policy: None,
        }
    }

    /// Changes how a queue delivers. What is in flight keeps the time that it was received with.
    pub async fn update(
        self: &Arc<Self>,
        id: &str,
        change: impl FnOnce(&mut Attributes) + Send + 'static,
    ) -> Result<QueueRecord, Error> {
        // What is a dead letter by now becomes one before the number of receives changes.
        self.settle(id, Kind::Records, Vec::new()).await?;
        self.alter(id, move |record| {
            change(&mut record.attributes);
            Ok(())
        })
        .await
    }

    /// Adds tags, or replaces those with the same keys.
    pub async fn tag(self: &Arc<Self>, id: &str, tags: Tags) -> Result<(), Error> {
        let add = move |record: &mut QueueRecord| {
            record.tags.extend(tags);
            if record.tags.len() > MAX_TAGS {
                Err(Error::TooManyTags)
            } else {
                Ok(())
            }
        };
        self.alter(id, add).await.map(drop)
    }

    /// Removes the tags with these keys, where there are any.
    pub async fn untag(self: &Arc<Self>, id: &str, keys: Vec<String>) -> Result<(), Error> {
        let remove = move |record: &mut QueueRecord| {
            record.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        };
        self.alter(id, remove).await.map(drop)
    }

    /// Gives a queue a policy in place of the one it has, or takes that away.
    pub async fn set_policy(
        self: &Arc<Self>,
        id: &str,
        policy: Option<Arc<str>>,
    ) -> Result<(), Error> {
        let set = move |record: &mut QueueRecord| {
            record.policy = policy;
            Ok(())
        };
        self.alter(id, set).await.map(drop)
    }

    /// Changes a queue's record, in the catalog first.
    async fn alter(
        self: &Arc<Self>,
        id: &str,
        change: impl FnOnce(&mut QueueRecord) -> Result<(), Error> + Send + 'static,
    ) -> Result<QueueRecord, Error> {
        let (this, id) = (self.clone(), id.to_owned());
        let work = async move {
            let _one = this.changing.lock().await;
            let queue = this.queue(&id)?;
            let Versioned { mut value, version } = queue.shared.record.read().clone();
            change(&mut value)?;
            let written = this
                .store
                .queues
                .write(&id, &value, Expect::At(version))
                .await;
            let version = written.map_err(conflict)?;
            *queue.shared.record.write() = Versioned {
                value: value.clone(),
                version,
            };
            Ok(value)
        };
        self.env.to_the_end(work).await
    }

    /// Removes a queue; what it delivered from stays as it is.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<(), Error> {
        let (this, id) = (self.clone(), id.to_owned());
        self.env
            .to_the_end(async move { this.delete_now(&id).await })
            .await
    }

    async fn delete_now(&self, id: &str) -> Result<(), Error> {
        let _one = self.changing.lock().await;
        let queue = self.queue(id)?;
        let Versioned {
            value: record,
            version,
        } = queue.shared.record.read().clone();
        let store = &self.store;
        let changes = vec![
            store.queues.delete(id, Expect::At(version)),
            store.names.delete(&record.name, Expect::Any),
            store.deleted.put(id, &(), Expect::Any),
        ];
        store.catalog.commit(changes).await.map_err(conflict)?;
        {
            let mut known = self.known.write();
            known.by_id.remove(id);
            known.ids.remove(&record.name);
        }
        let ended = queue.ended.lock().take();
        // The last way to the worker but for calls that are being made: it ends when those are.
        drop(queue);
        if let Some(ended) = ended {
            // An error says that the worker has dropped its end, which is what is waited for.
            drop(ended.await);
        }
        tracing::info!(queue = record.name, id, "queue deleted");
        // Rows that this fails to remove are removed at the next start.
        if let Err(error) = store.clean(id).await {
            tracing::warn!(id, %error, "rows of a deleted queue are left");
        }
        Ok(())
    }

    /// Receives records, waiting for the first where there is none.
    pub async fn receive(&self, id: &str, receive: Receive) -> Result<Vec<Received>, Error> {
        self.call(id, |reply| Call::Receive(receive, reply)).await
    }

    /// Does with received records what their receivers want: one result a record, in order. Durable when it returns.
    pub async fn settle(
        &self,
        id: &str,
        kind: Kind,
        settlements: Vec<(Receipt, Action)>,
    ) -> Result<Vec<Result<(), ReceiptError>>, Error> {
        self.call(id, |reply| Call::Settle(kind, settlements, reply))
            .await
    }

    async fn call<T>(
        &self,
        id: &str,
        call: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Call,
    ) -> Result<T, Error> {
        let gone = || Error::NoQueue(id.to_owned());
        let calls = self.queue(id)?.calls.clone();
        let (reply, answer) = oneshot::channel();
        calls.send(call(reply)).await.map_err(|_| gone())?;
        drop(calls);
        answer.await.map_err(|_| gone())?
    }

    /// Answers those that wait for records and lets nobody wait from now on: for a shutdown.
    pub async fn close(&self) {
        let queues: Vec<_> = self.known.read().by_id.values().cloned().collect();
        for queue in queues {
            // A worker that has ended has nobody waiting.
            drop(queue.calls.send(Call::Close).await);
        }
    }
}

fn conflict(error: CatalogError) -> Error {
    match error {
        CatalogError::Conflict { .. } => Error::Conflict,
        other => other.into(),
    }
}

/// Where each shard begins that does not begin at its first record.
async fn first_positions(source: &dyn Source, start: Start) -> Result<Vec<(String, u64)>, Error> {
    let mut positions = Vec::new();
    for shard in source.shards().await? {
        let next = match start {
            Start::Latest => shard.end,
            Start::TrimHorizon => 0,
            Start::Time(time) => source.offset_at(&shard.id, time).await?,
        };
        if next > 0 {
            positions.push((shard.id, next));
        }
    }
    Ok(positions)
}
