//! Queues made, changed and deleted: in the catalog first, then here, in a task of its own.
//!
//! The queues known here may be older than the catalog's, where another node shares it. So each change begins with the
//! records that the catalog has, and begins again where the commit finds others. The count of a stream's queues has
//! a row that every creation and deletion writes, so that no two of them, and no change of the stream, go by the same
//! count.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Checked, Expect, Versioned};
use headwater_log::SourceError;
use headwater_reading::{Start, first_positions};
use headwater_types::Arn;

use crate::{
    Error, NewQueue, QueueRecord, Queues,
    limits::{CONFLICTS_MAX, MAX_TAGS},
    queues::Queue,
    record::Position,
};

/// Says how many queues streams may have.
#[async_trait]
pub trait QueueQuota: Send + Sync {
    /// How many queues `stream` may have, with the checks that fail a commit where it is otherwise by then.
    async fn of(&self, stream: &Arn) -> Result<Checked<usize>, SourceError>;
}

impl Queues {
    /// Makes a queue, where its stream has a place for one more; it delivers when this returns.
    pub async fn create(
        self: &Arc<Self>,
        new: NewQueue,
        quota: Arc<dyn QueueQuota>,
    ) -> Result<QueueRecord, Error> {
        let this = self.clone();
        let work = async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                match this.create_once(&new, &*quota).await {
                    Err(Error::Conflict) => {}
                    done => return done,
                }
            }
            Err(Error::Conflict)
        };
        self.env.to_the_end(work).await
    }

    async fn create_once(
        &self,
        new: &NewQueue,
        quota: &dyn QueueQuota,
    ) -> Result<QueueRecord, Error> {
        self.refresh_name(&new.name).await?;
        if self.has_name(&new.name) {
            return Err(Error::QueueExists(new.name.clone()));
        }
        if new.tags.len() > MAX_TAGS {
            return Err(Error::TooManyTags);
        }
        let quota = quota.of(&new.stream).await?;
        let count = self.store.counts.get(&new.stream.to_string()).await?;
        if count.value >= quota.value {
            return Err(Error::TooManyQueues);
        }
        let source = self.sources.open(&new.stream).await?;
        let positions = first_positions(&*source, new.start).await?;
        let record = self.new_record(new, source.identity());
        let (store, id) = (&self.store, &record.id);
        let mut changes = quota.checks;
        changes.push(store.counts.set(&count, count.value + 1));
        changes.push(store.names.put(&record.name, id, Expect::Absent));
        changes.push(store.queues.put(id, &record, Expect::Absent));
        changes.extend(positions.into_iter().map(|(shard, next)| {
            let name = format!("{id}/{shard}");
            store
                .positions
                .put(&name, &Position { next }, Expect::Absent)
        }));
        let version = match store.catalog.commit(changes).await {
            Ok(version) => version,
            Err(CatalogError::Conflict { .. }) => return Err(Error::Conflict),
            Err(error) => return Err(error.into()),
        };
        self.start(Versioned {
            value: record.clone(),
            version,
        });
        tracing::info!(queue = record.name, id = record.id, stream = %record.stream, "queue created");
        Ok(record)
    }

    fn new_record(&self, new: &NewQueue, identity: String) -> QueueRecord {
        let now = self.env.clock.now();
        let start_time = match new.start {
            Start::Latest => now,
            Start::TrimHorizon => new.horizon,
            Start::Time(time) => time.max(new.horizon),
        };
        QueueRecord {
            id: self.env.random.uuid(),
            name: new.name.clone(),
            created: now,
            stream: new.stream.clone(),
            stream_created: new.stream_created,
            identity,
            start: new.start,
            start_time,
            attributes: new.attributes,
            tags: new.tags.clone(),
            policy: None,
        }
    }

    /// Changes a queue's record; `change` is made again where another node changed the record first.
    pub(crate) async fn alter(
        self: &Arc<Self>,
        id: &str,
        change: impl Fn(&mut QueueRecord) -> Result<(), Error> + Send + 'static,
    ) -> Result<QueueRecord, Error> {
        let (this, id) = (self.clone(), id.to_owned());
        let work = async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                this.refresh(&id).await?;
                let queue = this.queue(&id)?;
                let Versioned { mut value, version } = queue.shared.record.read().clone();
                change(&mut value)?;
                let expect = Expect::At(version);
                match this.store.queues.write(&id, &value, expect).await {
                    Ok(version) => {
                        let value = value.clone();
                        queue.shared.take_over(Versioned { value, version });
                    }
                    Err(CatalogError::Conflict { .. }) => continue,
                    Err(error) => return Err(error.into()),
                }
                return Ok(value);
            }
            Err(Error::Conflict)
        };
        self.env.to_the_end(work).await
    }

    /// Removes a queue; what it delivered from stays as it is.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<(), Error> {
        let (this, id) = (self.clone(), id.to_owned());
        let work = async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                this.refresh(&id).await?;
                let queue = this.queue(&id)?;
                let record = queue.shared.record.read().clone();
                match this.commit_deletion(&record).await {
                    Ok(()) => return this.finish_deletion(queue).await,
                    Err(CatalogError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(Error::Conflict)
        };
        self.env.to_the_end(work).await
    }

    async fn commit_deletion(&self, record: &Versioned<QueueRecord>) -> Result<(), CatalogError> {
        let Versioned { value, version } = record;
        let store = &self.store;
        let count = store.counts.get(&value.stream.to_string()).await?;
        let changes = vec![
            store.queues.delete(&value.id, Expect::At(*version)),
            store.names.delete(&value.name, Expect::Any),
            store.deleted.put(&value.id, &(), Expect::Any),
            store.counts.set(&count, count.value.saturating_sub(1)),
        ];
        store.catalog.commit(changes).await.map(drop)
    }

    /// Ends the worker of a queue that the catalog does not have any more, and removes its rows.
    async fn finish_deletion(&self, queue: Arc<Queue>) -> Result<(), Error> {
        let shared = queue.shared.clone();
        self.forget(&shared);
        let ended = queue.ended.lock().take();
        // The last way to the worker, apart from calls that are being made: it ends when those are.
        drop(queue);
        if let Some(ended) = ended {
            // An error says that the worker has dropped its end, which is what is waited for.
            drop(ended.await);
        }
        let (id, name) = (&shared.id, shared.record.read().value.name.clone());
        tracing::info!(queue = name, id, "queue deleted");
        // Rows that this fails to remove are removed at the next start.
        if let Err(error) = self.store.clean(id).await {
            tracing::warn!(id, %error, "rows of a deleted queue are left");
        }
        Ok(())
    }

    /// Takes over what the catalog has of the queue with this name. The caller holds `changing`.
    async fn refresh_name(&self, name: &str) -> Result<(), Error> {
        match self.store.names.get(name).await? {
            Some(id) => self.refresh(&id.value).await,
            None => Ok(()),
        }
    }

    /// Takes over what the catalog has of a queue. The caller holds `changing`.
    async fn refresh(&self, id: &str) -> Result<(), Error> {
        let known = self.queue(id).ok();
        match (self.store.queues.get(id).await?, known) {
            (Some(found), Some(known)) => known.shared.take_over(found),
            (Some(found), None) => self.start(found),
            (None, Some(known)) => self.forget(&known.shared),
            (None, None) => {}
        }
        Ok(())
    }

    /// Writes the counts of queues by stream where they are not as the queues are: data of a release without counts.
    pub(crate) async fn recount(&self) -> Result<(), Error> {
        for (stream, queues) in self.by_stream() {
            let count = self.store.counts.get(&stream.to_string()).await?;
            if count.value == queues {
                continue;
            }
            let change = self.store.counts.set(&count, queues);
            match self.store.catalog.commit(vec![change]).await {
                // Another node counts.
                Ok(_) | Err(CatalogError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}
