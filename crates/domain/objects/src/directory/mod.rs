//! Objects in a directory: bytes in encrypted blobs, everything else in the catalog.
//!
//! A write makes its blob durable and then commits the rows that name it, so that it is there whole or not at all.
//! `docs/format/objects.md` names the rows. A directory belongs to one process, which alone may open it.

mod buckets;
mod gate;
mod lifecycle;
mod listing;
mod objects;
mod pins;
mod read;
mod records;
mod settings;
mod sweep;
mod uploads;
mod versions;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use headwater_catalog::Catalog;
use headwater_env::Env;
use headwater_sealing::InstallationKey;
use tokio::sync::{Notify, RwLock, RwLockReadGuard};

use self::{gate::Gate, pins::Pins, records::Tables};
use crate::{
    Body, BucketInfo, BucketName, BucketQuery, BucketSettings, Complete, Delete, Deleted, Get,
    Lifecycle, Listing, ObjectError, ObjectInfo, ObjectName, ObjectPart, ObjectQuery, ObjectStore,
    PartInfo, PartListing, Put, PutPart, Selected, Setting, Upload, UploadInfo, UploadListing,
    UploadQuery, VersionListing, VersionQuery, Versioning, blob::BlobFiles, limits,
};

/// An object store in a directory.
#[derive(Clone)]
pub struct DirectoryStore(Arc<Store>);

struct Store {
    env: Env,
    tables: Tables,
    blobs: BlobFiles,
    /// Commits that add to a bucket or an upload hold this shared; those that end a bucket or an upload hold it
    /// alone, so that nothing is added to what is gone.
    membership: RwLock<()>,
    /// Commits that move versions between the tables hold this shared; who reads all of the tables holds it alone, so
    /// that no version is seen twice or missed. Taken behind `membership`.
    moving: RwLock<()>,
    /// Told when the rules of a bucket change by which objects expire.
    rules_changed: Arc<Notify>,
    pins: Arc<Pins>,
    writers: Gate,
    readers: Gate,
}

impl DirectoryStore {
    /// The store in `dir`, which is made where it is missing, with its rows and the key of its files in `catalog`. Files
    /// that a crash left over are removed in the background.
    pub async fn open(
        env: Env,
        dir: &Path,
        catalog: Arc<dyn Catalog>,
    ) -> Result<Self, ObjectError> {
        let key = InstallationKey::open(&env, &catalog).await?;
        let (blobs_env, dir) = (env.clone(), dir.to_owned());
        let blobs = env
            .blocking(move || BlobFiles::open(blobs_env, dir, key))
            .await?;
        let store = Arc::new(Store {
            tables: Tables::new(catalog),
            pins: Arc::new(Pins::new(blobs.clone())),
            blobs,
            membership: RwLock::default(),
            moving: RwLock::default(),
            rules_changed: Arc::default(),
            writers: Gate::new(limits::WRITERS_MAX),
            readers: Gate::new(limits::READERS_MAX),
            env,
        });
        let sweeping = store.clone();
        store.env.spawn(async move {
            match sweeping.sweep().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "removed blobs that a crash had left over"),
                Err(error) => {
                    tracing::warn!(%error, "could not remove the blobs that a crash left over")
                }
            }
        });
        let (env, changed) = (store.env.clone(), store.rules_changed.clone());
        store.env.spawn(lifecycle::follow_rules(
            env,
            Arc::downgrade(&store),
            changed,
        ));
        Ok(Self(store))
    }

    /// Runs `change` to its end, even when the caller stops waiting: what it commits, the files that it removes and
    /// the place among the other changes that it holds belong together.
    async fn whole<T, F>(&self, change: impl FnOnce(Arc<Store>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        self.0.env.to_the_end(change(self.0.clone())).await
    }
}

impl Store {
    async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>, ObjectError> {
        Ok(self.bucket_record(bucket).await?.value.versioning)
    }

    /// Keeps listings of versions away from a change of a bucket with this `versioning`.
    async fn moving(&self, versioning: Option<Versioning>) -> Option<RwLockReadGuard<'_, ()>> {
        match versioning {
            Some(_) => Some(self.moving.read().await),
            None => None,
        }
    }
}

#[async_trait]
impl ObjectStore for DirectoryStore {
    async fn create_bucket_with(
        &self,
        bucket: &BucketName,
        settings: &BucketSettings,
    ) -> Result<(), ObjectError> {
        let (bucket, settings) = (bucket.clone(), settings.clone());
        self.whole(|store| async move { store.create_bucket(&bucket, &settings).await })
            .await
    }

    async fn settings(&self, bucket: &BucketName) -> Result<BucketSettings, ObjectError> {
        self.0.settings(bucket).await
    }

    async fn set(&self, bucket: &BucketName, setting: Setting) -> Result<(), ObjectError> {
        let bucket = bucket.clone();
        self.whole(|store| async move { store.set(&bucket, setting).await })
            .await
    }

    async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError> {
        self.0.bucket(bucket).await
    }

    async fn list_buckets(&self, query: &BucketQuery) -> Result<Vec<BucketInfo>, ObjectError> {
        self.0.list_buckets(query).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        let bucket = bucket.clone();
        self.whole(|store| async move { store.delete_bucket(&bucket).await })
            .await
    }

    async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>, ObjectError> {
        self.0.versioning(bucket).await
    }

    async fn set_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
    ) -> Result<(), ObjectError> {
        let bucket = bucket.clone();
        self.whole(|store| async move { store.set_versioning(&bucket, versioning).await })
            .await
    }

    async fn lifecycle(&self, bucket: &BucketName) -> Result<Option<Lifecycle>, ObjectError> {
        self.0.lifecycle(bucket).await
    }

    async fn set_lifecycle(
        &self,
        bucket: &BucketName,
        lifecycle: Option<Lifecycle>,
    ) -> Result<(), ObjectError> {
        let bucket = bucket.clone();
        self.whole(|store| async move { store.set_lifecycle(&bucket, lifecycle).await })
            .await
    }

    async fn put(&self, put: Put, body: Body) -> Result<ObjectInfo, ObjectError> {
        let (record, blob) = self.0.write_object(&put, body).await?;
        self.whole(|store| async move { store.publish(&put, record, blob).await })
            .await
    }

    async fn head(&self, get: &Get) -> Result<Selected, ObjectError> {
        self.0.head(get).await
    }

    async fn get(&self, get: &Get) -> Result<(Selected, Body), ObjectError> {
        self.0.get(get).await
    }

    async fn parts(&self, get: &Get) -> Result<(ObjectInfo, Vec<ObjectPart>), ObjectError> {
        self.0.parts(get).await
    }

    async fn delete(&self, delete: &Delete) -> Result<Deleted, ObjectError> {
        let delete = delete.clone();
        self.whole(|store| async move { store.delete(&delete).await })
            .await
    }

    async fn set_tags(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<String>, ObjectError> {
        let (name, version) = (name.clone(), version.map(str::to_owned));
        self.whole(|store| async move { store.set_tags(&name, version.as_deref(), tags).await })
            .await
    }

    async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError> {
        self.0.list(query).await
    }

    async fn list_versions(&self, query: &VersionQuery) -> Result<VersionListing, ObjectError> {
        self.0.list_versions(query).await
    }

    async fn create_upload(&self, upload: Upload) -> Result<UploadInfo, ObjectError> {
        self.whole(|store| async move { store.create_upload(upload).await })
            .await
    }

    async fn put_part(&self, part: PutPart, body: Body) -> Result<PartInfo, ObjectError> {
        let record = self.0.write_part(&part, body).await?;
        self.whole(|store| async move { store.publish_part(&part, record).await })
            .await
    }

    async fn complete_upload(&self, complete: Complete) -> Result<ObjectInfo, ObjectError> {
        self.whole(|store| async move { store.complete_upload(&complete).await })
            .await
    }

    async fn abort_upload(&self, name: &ObjectName, upload: &str) -> Result<(), ObjectError> {
        let (name, upload) = (name.clone(), upload.to_owned());
        self.whole(|store| async move { store.abort_upload(&name, &upload).await })
            .await
    }

    async fn list_parts(
        &self,
        name: &ObjectName,
        upload: &str,
        after: u32,
        limit: usize,
    ) -> Result<PartListing, ObjectError> {
        self.0.list_parts(name, upload, after, limit).await
    }

    async fn list_uploads(&self, query: &UploadQuery) -> Result<UploadListing, ObjectError> {
        self.0.list_uploads(query).await
    }
}

#[cfg(test)]
mod tests;
