//! Buckets and objects in any S3-compatible store: the objects domain over S3's own protocol.
//!
//! Buckets and keys map one to one, and nothing is kept here: ETags, checksums, conditions and atomicity are the
//! store's. S3 wants a body's length and checksum before its bytes: a bounded part is held to find them out
//! ([`limits`]).

mod answers;
mod bodies;
mod buckets;
mod errors;
pub mod limits;
mod objects;
mod requests;
mod uploads;
mod versions;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use headwater_client::Client;
use headwater_env::Env;
use headwater_objects::{
    Body, BucketInfo, BucketName, BucketQuery, BucketSettings, Complete, Delete, Deleted, Get,
    Lifecycle, Listing, ObjectError, ObjectInfo, ObjectName, ObjectPart, ObjectQuery, ObjectStore,
    PartInfo, PartListing, Put, PutPart, Selected, Setting, Upload, UploadInfo, UploadListing,
    UploadQuery, VersionListing, VersionQuery, Versioning,
};
use tokio::sync::Semaphore;

/// A store that is somewhere else and speaks S3.
pub struct S3Store {
    client: Client,
    env: Env,
    /// Room for what is held in memory, in MiB.
    held: Arc<Semaphore>,
}

impl S3Store {
    /// The store that `client` reaches.
    pub fn new(client: Client, env: Env) -> Self {
        Self {
            client,
            env,
            held: Arc::new(Semaphore::new(limits::HELD_MIB)),
        }
    }
}

#[async_trait]
impl ObjectStore for S3Store {
    async fn create_bucket_with(
        &self,
        bucket: &BucketName,
        settings: &BucketSettings,
    ) -> Result<(), ObjectError> {
        check_settings(settings)?;
        self.create_bucket(bucket).await
    }

    async fn settings(&self, _: &BucketName) -> Result<BucketSettings, ObjectError> {
        Err(ObjectError::Elsewhere(SETTINGS))
    }

    async fn set(&self, _: &BucketName, setting: Setting) -> Result<(), ObjectError> {
        let mut settings = BucketSettings::default();
        settings.set(setting);
        check_settings(&settings)
    }

    async fn bucket(&self, bucket: &BucketName) -> Result<BucketInfo, ObjectError> {
        self.bucket(bucket).await
    }

    async fn list_buckets(&self, query: &BucketQuery) -> Result<Vec<BucketInfo>, ObjectError> {
        self.list_buckets(query).await
    }

    async fn delete_bucket(&self, bucket: &BucketName) -> Result<(), ObjectError> {
        self.delete_bucket(bucket).await
    }

    async fn versioning(&self, bucket: &BucketName) -> Result<Option<Versioning>, ObjectError> {
        self.versioning(bucket).await
    }

    async fn set_versioning(
        &self,
        bucket: &BucketName,
        versioning: Versioning,
    ) -> Result<(), ObjectError> {
        self.set_versioning(bucket, versioning).await
    }

    async fn lifecycle(&self, _: &BucketName) -> Result<Option<Lifecycle>, ObjectError> {
        Err(ObjectError::Elsewhere("the rules of lifecycles"))
    }

    async fn set_lifecycle(&self, _: &BucketName, _: Option<Lifecycle>) -> Result<(), ObjectError> {
        Err(ObjectError::Elsewhere("the rules of lifecycles"))
    }

    async fn put(&self, put: Put, body: Body) -> Result<ObjectInfo, ObjectError> {
        self.put(put, body).await
    }

    async fn head(&self, get: &Get) -> Result<Selected, ObjectError> {
        self.head(get).await
    }

    async fn get(&self, get: &Get) -> Result<(Selected, Body), ObjectError> {
        self.get(get).await
    }

    async fn parts(&self, get: &Get) -> Result<(ObjectInfo, Vec<ObjectPart>), ObjectError> {
        self.parts(get).await
    }

    async fn delete(&self, delete: &Delete) -> Result<Deleted, ObjectError> {
        self.delete(delete).await
    }

    async fn set_tags(
        &self,
        name: &ObjectName,
        version: Option<&str>,
        tags: BTreeMap<String, String>,
    ) -> Result<Option<String>, ObjectError> {
        self.set_tags(name, version, tags).await
    }

    async fn list(&self, query: &ObjectQuery) -> Result<Listing, ObjectError> {
        self.list(query).await
    }

    async fn list_versions(&self, query: &VersionQuery) -> Result<VersionListing, ObjectError> {
        self.list_versions(query).await
    }

    async fn create_upload(&self, upload: Upload) -> Result<UploadInfo, ObjectError> {
        self.create_upload(upload).await
    }

    async fn put_part(&self, part: PutPart, body: Body) -> Result<PartInfo, ObjectError> {
        self.put_part(part, body).await
    }

    async fn complete_upload(&self, complete: Complete) -> Result<ObjectInfo, ObjectError> {
        self.complete_upload(complete).await
    }

    async fn abort_upload(&self, name: &ObjectName, upload: &str) -> Result<(), ObjectError> {
        self.abort_upload(name, upload).await
    }

    async fn list_parts(
        &self,
        name: &ObjectName,
        upload: &str,
        after: u32,
        limit: usize,
    ) -> Result<PartListing, ObjectError> {
        self.list_parts(name, upload, after, limit).await
    }

    async fn list_uploads(&self, query: &UploadQuery) -> Result<UploadListing, ObjectError> {
        self.list_uploads(query).await
    }
}

const SETTINGS: &str = "settings of buckets";

/// Settings of buckets are the store's own affair: those of a new bucket are all that can be asked for here.
fn check_settings(settings: &BucketSettings) -> Result<(), ObjectError> {
    match *settings == BucketSettings::default() {
        true => Ok(()),
        false => Err(ObjectError::Elsewhere(SETTINGS)),
    }
}
