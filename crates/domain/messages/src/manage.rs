//! Queues made, changed and deleted: in the catalog first, then here, in a task of its own.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{CatalogError, Expect, Versioned};
use headwater_log::ShardNumber;
use headwater_types::{Millis, kept::ShardSpace};

use crate::{
    Error, Messages, QueueRecord, Settings, Tags, limits, queues::Inner, record::kept_from,
    store::row, worker::Shared,
};

/// A queue to make.
#[derive(Debug, Clone, Default)]
pub struct NewQueue {
    /// Its name.
    pub name: String,
    /// How it delivers.
    pub settings: Settings,
    /// Who may use it beside its owner.
    pub policy: Option<Arc<str>>,
    /// Its tags.
    pub tags: Tags,
}

impl Messages {
    /// Makes a queue. Where there is one of that name, it is that one, unless `differs` names what is different.
    ///
    /// # Errors
    /// [`Error::Differs`], [`Error::TooManyTags`], or what failed below.
    pub async fn create(
        &self,
        new: NewQueue,
        differs: impl Fn(&QueueRecord) -> Option<String> + Send + 'static,
    ) -> Result<QueueRecord, Error> {
        if new.tags.len() > limits::TAGS {
            return Err(Error::TooManyTags);
        }
        let (inner, changing) = (self.inner.clone(), self.changing.clone());
        let work = async move {
            let _one = changing.lock_owned().await;
            for _ in 0..limits::CONFLICTS {
                if let Some(found) = inner.record(&new.name) {
                    return match differs(&found) {
                        Some(what) => Err(Error::Differs(what)),
                        None => Ok(found),
                    };
                }
                match inner.create(&new).await {
                    Err(Error::Catalog(CatalogError::Conflict { .. })) => {}
                    done => return done,
                }
            }
            Err(Error::Conflict)
        };
        self.inner.env.to_the_end(work).await
    }

    /// Changes a queue; `modified` says whether its settings were meant.
    ///
    /// # Errors
    /// [`Error::NoQueue`], what `change` says, or what failed below.
    pub async fn alter<E: From<Error> + Send + 'static>(
        &self,
        name: &str,
        modified: bool,
        change: impl FnOnce(&mut QueueRecord) -> Result<(), E> + Send + 'static,
    ) -> Result<QueueRecord, E> {
        let (inner, changing, name) = (self.inner.clone(), self.changing.clone(), name.to_owned());
        let work = async move {
            let _one = changing.lock_owned().await;
            inner.alter(&name, modified, change).await
        };
        self.inner.env.to_the_end(work).await
    }

    /// Deletes a queue with its messages.
    ///
    /// # Errors
    /// [`Error::NoQueue`], or what failed below.
    pub async fn delete(&self, name: &str) -> Result<(), Error> {
        let number = self.get(name)?.number;
        let (inner, changing, name) = (self.inner.clone(), self.changing.clone(), name.to_owned());
        let workers = self.workers.clone();
        let work = async move {
            let _one = changing.lock_owned().await;
            let deleted = inner.delete(&name).await;
            if deleted.is_ok() {
                // Its worker ends when the calls are done that were made already.
                workers.lock().remove(&number);
            }
            deleted
        };
        self.inner.env.to_the_end(work).await
    }
}

impl Inner {
    /// Opens the shards of all queues, and removes what a crash between two steps of a deletion has left.
    pub async fn recover(&self) -> Result<(), Error> {
        let checkpoints = self.store.checkpoints.all().await?.into_iter();
        let mut checkpoints: BTreeMap<String, Millis> = checkpoints
            .map(|(row, found)| (row, found.value.time))
            .collect();
        let mut shards = Vec::new();
        for (_, found) in self.store.queues.all().await? {
            let floor = checkpoints.remove(&row(found.value.number));
            self.open_shards(&found.value, floor.unwrap_or(Millis::ZERO))
                .await?;
            shards.extend([found.value.messages(), found.value.changes()]);
            self.take_over(found);
        }
        let mut strays = self.log.shards().await?;
        let is_ours = |shard: ShardNumber| shard.within(ShardSpace::Messages).is_some();
        // A queue's worker may have written one while the queue was deleted.
        for stray in checkpoints.keys() {
            self.store.checkpoints.remove(stray, Expect::Any).await?;
        }
        shards.sort_unstable();
        strays.retain(|shard| is_ours(*shard) && shards.binary_search(shard).is_err());
        Ok(self.log.remove_shards(&strays).await?)
    }

    async fn open_shards(&self, queue: &QueueRecord, floor: Millis) -> Result<(), Error> {
        let retention = queue.settings.retention();
        self.log.open_shards(&[queue.messages()], retention).await?;
        Ok(self
            .log
            .open_shards(&[queue.changes()], kept_from(floor))
            .await?)
    }

    async fn create(&self, new: &NewQueue) -> Result<QueueRecord, Error> {
        let next = self.store.next_number.get().await?;
        let (number, expect) =
            next.map_or((0, Expect::Absent), |n| (n.value, Expect::At(n.version)));
        let now = self.env.clock.now();
        let record = QueueRecord {
            name: new.name.clone(),
            number,
            tag: self.env.random.next_u64(),
            created: now,
            modified: now,
            settings: new.settings.clone(),
            policy: new.policy.clone(),
            tags: new.tags.clone(),
        };
        // Before the record: a caller that finds the record finds the shards.
        self.open_shards(&record, Millis::ZERO).await?;
        let changes = vec![
            self.store.next_number.put(&(number + 1), expect),
            self.store.queues.put(&record.name, &record, Expect::Absent),
        ];
        let version = self.store.catalog.commit(changes).await?;
        let value = record.clone();
        self.take_over(Versioned { value, version });
        Ok(record)
    }

    async fn alter<E: From<Error>>(
        &self,
        name: &str,
        modified: bool,
        change: impl FnOnce(&mut QueueRecord) -> Result<(), E>,
    ) -> Result<QueueRecord, E> {
        let queue = self.known.read().get(name).cloned();
        let queue = queue.ok_or_else(|| Error::NoQueue(name.to_owned()))?;
        let Versioned {
            value: before,
            version,
        } = queue.record.read().clone();
        let mut value = before.clone();
        change(&mut value)?;
        if modified {
            value.modified = self.env.clock.now();
        }
        Ok(self
            .replace(&queue, before, Versioned { value, version })
            .await?)
    }

    /// Gives a queue another record, in place of `before`; the version is that of the one before.
    async fn replace(
        &self,
        queue: &Shared,
        before: QueueRecord,
        after: Versioned<QueueRecord>,
    ) -> Result<QueueRecord, Error> {
        let Versioned { value, version } = after;
        let store = &self.store.queues;
        let written = store.write(&value.name, &value, Expect::At(version)).await;
        let version = match written {
            Ok(version) => version,
            Err(CatalogError::Conflict { .. }) => return Err(Error::Conflict),
            Err(error) => return Err(error.into()),
        };
        *queue.record.write() = Versioned {
            value: value.clone(),
            version,
        };
        if value.settings.retention_s != before.settings.retention_s {
            let retention = value.settings.retention();
            self.log.open_shards(&[value.messages()], retention).await?;
        }
        Ok(value)
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let queue = self.known.read().get(name).cloned();
        let queue = queue.ok_or_else(|| Error::NoQueue(name.to_owned()))?;
        let record = queue.record();
        let changes = vec![
            self.store.queues.delete(name, Expect::Present),
            self.store
                .checkpoints
                .delete(&row(record.number), Expect::Any),
        ];
        self.store.catalog.commit(changes).await?;
        self.known.write().remove(name);
        let shards = [record.messages(), record.changes()];
        Ok(self.log.remove_shards(&shards).await?)
    }
}
