//! Changes of delivery streams: making, updating, encrypting, tagging and deleting them.
//!
//! A change that has begun runs to its end, even when its caller hangs up: otherwise the catalog would have it and the
//! running engine would not, until the next start. One change is made at a time.

use std::{collections::BTreeMap, sync::Arc};

use headwater_catalog::{CatalogError, Expect, Versioned};
use serde_json::Value;

use super::{
    Deliveries, NewStream,
    error::DeliveryError,
    places::{Places, Unbounded},
};
use crate::{
    config::{Destination, Encryption, NewOrigin, Origin, StreamRecord},
    intent::Progress,
    limits::{
        CONFLICTS_MAX, ENCRYPTION_CHANGES_MAX, ENCRYPTION_CHANGES_PERIOD, STREAMS_MAX, TAGS_MAX,
    },
};

impl Deliveries {
    /// Makes a delivery stream and starts it. One that reads a stream begins at that stream's present end.
    pub async fn create(self: &Arc<Self>, new: NewStream) -> Result<StreamRecord, DeliveryError> {
        self.create_among(new, Arc::new(Unbounded)).await
    }

    /// The same, where the stream that it reads has a place for it.
    pub async fn create_among(
        self: &Arc<Self>,
        new: NewStream,
        places: Arc<dyn Places>,
    ) -> Result<StreamRecord, DeliveryError> {
        new.destination.check()?;
        check_tags(&new.tags)?;
        if new.encryption.is_some() && new.origin != NewOrigin::Direct {
            return Err(DeliveryError::NotDirect(new.name));
        }
        self.change(|this| async move {
            for _ in 0..CONFLICTS_MAX {
                match this.create_once(new.clone(), &*places).await {
                    Err(DeliveryError::Catalog(CatalogError::Conflict { .. })) => {}
                    done => return done,
                }
            }
            Err(DeliveryError::Conflict(new.name))
        })
        .await
    }

    async fn create_once(
        &self,
        new: NewStream,
        places: &dyn Places,
    ) -> Result<StreamRecord, DeliveryError> {
        if self.store.streams.get(&new.name).await?.is_some() {
            return Err(DeliveryError::Exists(new.name));
        }
        let count = self.running.read().len();
        if count >= STREAMS_MAX {
            return Err(DeliveryError::TooMany(count));
        }
        let place = self.take_place(&new.origin, places).await?;
        let (origin, positions) = self.begin(new.origin).await?;
        let stream = StreamRecord {
            name: new.name,
            arn: new.arn,
            id: new.id,
            created: self.env.clock.now(),
            updated: None,
            version: 1,
            origin,
            destination: new.destination,
            description: new.description,
            tags: new.tags,
            encryption: new.encryption,
            encryption_changes: Vec::new(),
        };
        let progress = Progress {
            positions,
            ..Progress::default()
        };
        self.store.insert(&stream, &progress, place).await?;
        self.start(stream.clone(), &progress).await;
        Ok(stream)
    }

    /// Where a new delivery stream's records come from, and where it starts.
    async fn begin(
        &self,
        origin: NewOrigin,
    ) -> Result<(Origin, BTreeMap<String, u64>), DeliveryError> {
        let (arn, role) = match origin {
            NewOrigin::Direct => {
                let shard = self.store.next_number().await?;
                return Ok((Origin::Direct { shard }, BTreeMap::new()));
            }
            NewOrigin::Stream { arn, role } => (arn, role),
        };
        let source = self.ports.sources.open(&arn).await?;
        let shards = source.shards().await?.into_iter();
        let positions = shards.map(|shard| (shard.id, shard.end)).collect();
        let identity = source.identity();
        let origin = Origin::Stream {
            arn,
            role,
            identity,
        };
        Ok((origin, positions))
    }

    /// Gives a delivery stream another destination with its description, and a version that is one higher; refused where it has another version
    /// than the one `expected`. Batches that are closed already go where they were to go.
    pub async fn update(
        self: &Arc<Self>,
        name: &str,
        expected: u64,
        destination: Destination,
        description: Value,
    ) -> Result<StreamRecord, DeliveryError> {
        destination.check()?;
        let now = self.env.clock.now();
        self.alter(name, move |stream| {
            if stream.version != expected {
                return Err(DeliveryError::OtherVersion {
                    name: stream.name.clone(),
                    version: stream.version,
                    expected,
                });
            }
            stream.version += 1;
            stream.updated = Some(now);
            stream.destination = destination;
            stream.description = description;
            Ok(())
        })
        .await
    }

    /// Encrypts what is put into a delivery stream from now on, or leaves it as it is; what waits already stays so. Only
    /// where records are put directly, and not too often.
    pub async fn encrypt(
        self: &Arc<Self>,
        name: &str,
        encryption: Option<Encryption>,
    ) -> Result<(), DeliveryError> {
        let (now, has_quotas) = (self.env.clock.now(), self.options.quotas.is_some());
        let altered = self.alter(name, move |stream| {
            if stream.origin.stream().is_some() {
                return Err(DeliveryError::NotDirect(stream.name.clone()));
            }
            let changes = &mut stream.encryption_changes;
            changes.retain(|at| now.since(*at) < ENCRYPTION_CHANGES_PERIOD);
            if changes.len() >= ENCRYPTION_CHANGES_MAX {
                if has_quotas {
                    let name = stream.name.clone();
                    return Err(DeliveryError::EncryptionChangedTooOften(name));
                }
                changes.remove(0);
            }
            changes.push(now);
            stream.encryption = encryption;
            stream.updated = Some(now);
            Ok(())
        });
        altered.await.map(drop)
    }

    /// Changes a delivery stream's tags.
    pub async fn tag(
        self: &Arc<Self>,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
    ) -> Result<(), DeliveryError> {
        let altered = self.alter(name, |stream| {
            change(&mut stream.tags);
            check_tags(&stream.tags)
        });
        altered.await.map(drop)
    }

    /// Stops a delivery stream and forgets it, with the records that it holds and did not deliver.
    pub async fn delete(self: &Arc<Self>, name: &str) -> Result<(), DeliveryError> {
        let name = name.to_owned();
        self.change(|this| async move { this.delete_now(&name).await })
            .await
    }

    async fn delete_now(&self, name: &str) -> Result<(), DeliveryError> {
        self.remove(name).await?;
        let running = self.running.write().remove(name);
        if let Some(running) = running {
            running.stop.send_replace(true);
            running.stop.closed().await;
            if let Some(shard) = &running.engine.direct
                && let Err(error) = shard.remove().await
            {
                tracing::warn!(stream = name, %error, "the records that were put stay until the next start");
            }
        }
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), DeliveryError> {
        for _ in 0..CONFLICTS_MAX {
            let found = self.get(name).await?;
            match self.store.remove(&found).await {
                Err(CatalogError::Conflict { .. }) => {}
                done => return Ok(done?),
            }
        }
        Err(DeliveryError::Conflict(name.to_owned()))
    }

    /// Changes a delivery stream in the catalog, and then as it runs.
    async fn alter(
        self: &Arc<Self>,
        name: &str,
        change: impl FnOnce(&mut StreamRecord) -> Result<(), DeliveryError> + Send + 'static,
    ) -> Result<StreamRecord, DeliveryError> {
        let name = name.to_owned();
        self.change(|this| async move {
            let Versioned { mut value, version } = this.get(&name).await?;
            change(&mut value)?;
            let streams = &this.store.streams;
            streams.write(&name, &value, Expect::At(version)).await?;
            if let Some(running) = this.running.read().get(&name) {
                running.engine.configure(value.clone());
            }
            Ok(value)
        })
        .await
    }

    /// Makes one change in a task of its own, once no other is being made.
    async fn change<T, Work>(
        self: &Arc<Self>,
        work: impl FnOnce(Arc<Self>) -> Work + Send + 'static,
    ) -> Result<T, DeliveryError>
    where
        T: Send + 'static,
        Work: Future<Output = Result<T, DeliveryError>> + Send,
    {
        let this = self.clone();
        let change = async move {
            let _one = this.changing.lock().await;
            work(this.clone()).await
        };
        self.env.to_the_end(change).await
    }
}

fn check_tags(tags: &BTreeMap<String, String>) -> Result<(), DeliveryError> {
    if tags.len() > TAGS_MAX {
        return Err(DeliveryError::TooManyTags);
    }
    Ok(())
}
