//! Mappings made, changed and deleted: in the catalog first, then here, in a task of its own.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{CatalogError, Expect, Versioned};
use headwater_log::SourceError;
use headwater_reading::{Start, first_positions};
use headwater_types::Arn;

use crate::{
    Error, Mapping, Mappings, Settings,
    filter::Filters,
    limits::{CONFLICTS_MAX, MAPPINGS_MAX},
    mappings::Kept,
    ports::{QueueError, QueueInfo},
    progress::Progress,
    worker::Configured,
};

/// A mapping that is to be made.
#[derive(Debug, Clone)]
pub struct NewMapping {
    /// The function, with its version or alias where one is named.
    pub function: Arn,
    /// The source as it is named.
    pub source: Arn,
    /// The stream that this means, or the queue.
    pub stream: Arn,
    /// Where in the stream it begins; none: the source is a queue.
    pub start: Option<Start>,
    /// How it works.
    pub settings: Settings,
    /// Whether it works from now on.
    pub enabled: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Mappings {
    /// Makes a mapping. It is at its beginning when this returns: what is put from then on is its.
    pub async fn create(self: &Arc<Self>, new: NewMapping) -> Result<Mapping, Error> {
        let this = self.clone();
        let work = async move {
            let _one = this.changing.lock().await;
            this.create_now(new).await
        };
        self.world.env.to_the_end(work).await
    }

    async fn create_now(&self, new: NewMapping) -> Result<Mapping, Error> {
        Filters::parse(&new.settings.filters)?;
        if self.all.read().len() >= MAPPINGS_MAX {
            return Err(Error::TooMany);
        }
        let (identity, positions) = match new.start {
            Some(start) => self.place_in(&new.source, start).await?,
            None => {
                self.queue(&new.source).await?;
                (String::new(), Vec::new())
            }
        };
        let (env, store) = (&self.world.env, &self.world.store);
        let mapping = Mapping {
            id: env.random.uuid(),
            function: new.function,
            source: new.source,
            stream: new.stream,
            identity,
            start: new.start,
            settings: new.settings,
            enabled: new.enabled,
            modified: env.clock.now(),
            tags: new.tags,
        };
        let id = &mapping.id;
        let mut changes = vec![
            store.pairs.put(&mapping.pair(), id, Expect::Absent),
            store.mappings.put(id, &mapping, Expect::Absent),
        ];
        changes.extend(positions.into_iter().map(|(shard, next)| {
            let name = format!("{id}/{shard}");
            store
                .progress
                .put(&name, &Progress::at(next), Expect::Absent)
        }));
        let version = match store.catalog.commit(changes).await {
            Err(CatalogError::Conflict { .. }) => return Err(self.taken(&mapping).await?),
            version => version?,
        };
        let value = mapping.clone();
        self.start(Versioned { value, version });
        tracing::info!(mapping = mapping.id, source = %mapping.source, function = %mapping.function, "mapping created");
        Ok(mapping)
    }

    /// A stream's identity, and the first offsets of a mapping that begins at `start`.
    async fn place_in(
        &self,
        stream: &Arn,
        start: Start,
    ) -> Result<(String, Vec<(String, u64)>), Error> {
        let source = match self.world.sources.open(stream).await {
            Err(SourceError::NotFound(_)) => return Err(Error::NoSource(stream.to_string())),
            source => source?,
        };
        if matches!(start, Start::Time(time) if time > self.world.env.clock.now()) {
            return Err(Error::FutureStart);
        }
        let positions = first_positions(&*source, start).await?;
        Ok((source.identity(), positions.into_iter().collect()))
    }

    /// What a queue is like.
    pub async fn queue(&self, queue: &Arn) -> Result<QueueInfo, Error> {
        let found = self.world.queues.describe(queue).await;
        found.map_err(|error| match error {
            QueueError::NotFound(name) => Error::NoQueue(name),
            QueueError::Failed(why) => Error::Source(SourceError::Failed(why)),
        })
    }

    /// The error for a pair of source and function that another mapping has.
    async fn taken(&self, mapping: &Mapping) -> Result<Error, Error> {
        let found = self.world.store.pairs.get(&mapping.pair()).await?;
        Ok(match found {
            Some(other) => Error::Exists(other.value),
            None => Error::Conflict,
        })
    }

    /// Changes a mapping; `change` is made again where another change was faster. What it refuses, changes nothing.
    pub async fn update(
        self: &Arc<Self>,
        id: &str,
        change: impl Fn(&mut Mapping) -> Result<(), Error> + Send + Sync + 'static,
    ) -> Result<Mapping, Error> {
        let (this, id) = (self.clone(), id.to_owned());
        let work = async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                match this.update_now(&id, &change).await {
                    Err(Error::Conflict) => this.refresh(&id).await?,
                    done => return done,
                }
            }
            Err(Error::Conflict)
        };
        self.world.env.to_the_end(work).await
    }

    async fn update_now(
        &self,
        id: &str,
        change: &(impl Fn(&mut Mapping) -> Result<(), Error> + Send + Sync),
    ) -> Result<Mapping, Error> {
        let kept = self.kept(id)?;
        let Versioned {
            value: old,
            version,
        } = kept.record.read().clone();
        let mut new = old.clone();
        change(&mut new)?;
        Filters::parse(&new.settings.filters)?;
        new.modified = self.world.env.clock.now();
        let store = &self.world.store;
        let mut changes = vec![store.mappings.put(id, &new, Expect::At(version))];
        if new.pair() != old.pair() {
            changes.push(store.pairs.delete(&old.pair(), Expect::Any));
            changes.push(store.pairs.put(&new.pair(), &new.id, Expect::Absent));
            if store.pairs.get(&new.pair()).await?.is_some() {
                return Err(self.taken(&new).await?);
            }
        }
        let version = store.catalog.commit(changes).await?;
        let value = new.clone();
        self.take_over(&kept, Versioned { value, version });
        Ok(new)
    }

    /// Deletes a mapping: the mapping as it was. A call that is under way runs to its end.
    pub async fn delete(self: &Arc<Self>, id: &str) -> Result<Mapping, Error> {
        let (this, id) = (self.clone(), id.to_owned());
        let work = async move {
            let _one = this.changing.lock().await;
            for _ in 0..CONFLICTS_MAX {
                match this.delete_now(&id).await {
                    Err(Error::Conflict) => this.refresh(&id).await?,
                    done => return done,
                }
            }
            Err(Error::Conflict)
        };
        self.world.env.to_the_end(work).await
    }

    async fn delete_now(&self, id: &str) -> Result<Mapping, Error> {
        let kept = self.kept(id)?;
        let Versioned {
            value: mapping,
            version,
        } = kept.record.read().clone();
        let store = &self.world.store;
        let changes = vec![
            store.mappings.delete(id, Expect::At(version)),
            store.pairs.delete(&mapping.pair(), Expect::Any),
            store.deleted.put(id, &(), Expect::Any),
        ];
        store.catalog.commit(changes).await?;
        self.forget(id, &kept);
        tracing::info!(mapping = id, "mapping deleted");
        Ok(mapping)
    }

    /// Takes over what the catalog has of a mapping that another node changed.
    async fn refresh(&self, id: &str) -> Result<(), Error> {
        let kept = self.kept(id)?;
        match self.world.store.mappings.get(id).await? {
            Some(record) => {
                self.take_over(&kept, record);
                Ok(())
            }
            None => {
                self.forget(id, &kept);
                Err(Error::NotFound(id.to_owned()))
            }
        }
    }

    fn take_over(&self, kept: &Kept, record: Versioned<Mapping>) {
        let configured = Configured::of(record.value.clone());
        *kept.record.write() = record;
        kept.shared.config.send_replace(Arc::new(configured));
    }

    /// Lets go of a mapping that was deleted. Its worker removes what is left of it, once its calls are through.
    fn forget(&self, id: &str, kept: &Kept) {
        self.all.write().remove(id);
        let gone = Configured::gone(kept.record.read().value.clone());
        kept.shared.config.send_replace(Arc::new(gone));
    }
}
