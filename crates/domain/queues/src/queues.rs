//! All queues of one installation: which there are, and the way to their workers.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{Catalog, CatalogError, Checked, Versioned};
use headwater_env::Env;
use headwater_log::Sources;
use headwater_types::{Arn, Millis};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{mpsc, oneshot};

use crate::{
    Action, Attributes, Error, Kind, QueueRecord, Receipt, ReceiptError, Receive, Received, Start,
    Tags,
    limits::{CALLS, MAX_TAGS},
    record::Store,
    shared::Shared,
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
    /// Where delivery begins.
    pub start: Start,
    /// How it delivers.
    pub attributes: Attributes,
    /// Its tags.
    pub tags: Tags,
}

/// All queues.
pub struct Queues {
    pub(crate) env: Env,
    pub(crate) store: Store,
    pub(crate) sources: Arc<dyn Sources>,
    known: RwLock<QueueIndex>,
    /// Held during a change, so that changes of this process follow each other; those of others are noticed by the
    /// catalog's versions.
    pub(crate) changing: tokio::sync::Mutex<()>,
}

/// The queues by their ids, and the ids by their names.
#[derive(Default)]
struct QueueIndex {
    by_id: BTreeMap<String, Arc<Queue>>,
    ids: BTreeMap<String, String>,
}

/// A queue and the way to its worker.
pub(crate) struct Queue {
    pub shared: Arc<Shared>,
    calls: mpsc::Sender<Call>,
    /// Told when the worker has ended.
    pub ended: Mutex<Option<oneshot::Receiver<()>>>,
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
        queues.recount().await?;
        Ok(queues)
    }

    /// Makes a queue known and starts its worker.
    pub(crate) fn start(&self, record: Versioned<QueueRecord>) {
        let (calls, receiver) = mpsc::channel(CALLS);
        let (ending, ended) = oneshot::channel();
        let (id, name) = (record.value.id.clone(), record.value.name.clone());
        let shared = Arc::new(Shared {
            id: id.clone(),
            record: RwLock::new(record),
            loaded: Mutex::default(),
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

    /// The policy that says who may use a queue, as its owner wrote it.
    pub fn policy(&self, id: &str) -> Result<Option<Arc<str>>, Error> {
        Ok(self.queue(id)?.shared.record.read().value.policy.clone())
    }

    pub(crate) fn queue(&self, id: &str) -> Result<Arc<Queue>, Error> {
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

    /// How many queues a stream has, as far as this process knows.
    pub fn count_of(&self, stream: &Arn) -> usize {
        let known = self.known.read();
        known
            .by_id
            .values()
            .filter(|queue| queue.shared.record.read().value.stream == *stream)
            .count()
    }

    /// How many queues a stream has, with the check that fails a commit where it has others by then.
    pub async fn count(&self, stream: &Arn) -> Result<Checked<usize>, CatalogError> {
        self.store.counts.checked(&stream.to_string()).await
    }

    /// Queues by their streams, as far as this process knows.
    pub(crate) fn by_stream(&self) -> BTreeMap<Arn, usize> {
        let mut counts = BTreeMap::new();
        for queue in self.known.read().by_id.values() {
            let stream = queue.shared.record.read().value.stream.clone();
            *counts.entry(stream).or_default() += 1;
        }
        counts
    }

    /// Whether this process knows a queue of this name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        self.known.read().ids.contains_key(name)
    }

    /// Forgets a queue; its worker ends when the calls are done that were made already.
    pub(crate) fn forget(&self, queue: &Shared) {
        let mut known = self.known.write();
        known.by_id.remove(&queue.id);
        let name = &queue.record.read().value.name;
        if known.ids.get(name) == Some(&queue.id) {
            known.ids.remove(name);
        }
    }

    /// Changes how a queue delivers. A record in flight keeps the time that it was received with.
    pub async fn update(
        self: &Arc<Self>,
        id: &str,
        change: impl Fn(&mut Attributes) + Send + 'static,
    ) -> Result<QueueRecord, Error> {
        // Records that are dead letters by now become so before the number of receives changes.
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
            record.tags.extend(tags.clone());
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
            record.policy = policy.clone();
            Ok(())
        };
        self.alter(id, set).await.map(drop)
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

    pub(crate) async fn call<T>(
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
