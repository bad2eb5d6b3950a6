//! The trail: calls become events of the place that they were made in, and its objects go into buckets.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_cloudtrail::event::event;
use headwater_objects::{Body, BucketName, ObjectError, ObjectName, ObjectStore, Put};
use headwater_trail::{Bucket, BucketError, Store};
use headwater_wire::{Called, KeepCalls, Place};
use parking_lot::RwLock;

/// The events of each place that is open.
#[derive(Default)]
pub struct Calls(RwLock<HashMap<Place, Store>>);

impl Calls {
    /// Keeps the calls of a place there.
    pub fn add(&self, place: Place, store: Store) {
        self.0.write().insert(place, store);
    }
}

#[async_trait]
impl KeepCalls for Calls {
    async fn keep(&self, call: Called<'_>) {
        let place = Place {
            account: call.context.account.clone(),
            region: call.context.region.clone(),
        };
        let store = self.0.read().get(&place).cloned();
        // A region that could not be opened has refused the call, and keeps nothing.
        if let Some(store) = store {
            store.note(|id, time| event(&call, id, time)).await;
        }
    }
}

/// The object store of this server, as trails use it.
pub struct TrailBucket(pub Arc<dyn ObjectStore>);

#[async_trait]
impl Bucket for TrailBucket {
    async fn put(&self, bucket: &str, key: &str, body: Bytes) -> Result<(), BucketError> {
        let mut put = Put::new(ObjectName::parse(bucket, key).map_err(failed)?);
        let headers = [
            ("content-type", "application/json"),
            ("content-encoding", "gzip"),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        put.attributes.headers.extend(headers);
        let put = self.0.put(put, Body::from_bytes(body)).await;
        put.map(drop).map_err(failed)
    }

    async fn exists(&self, bucket: &str) -> Result<bool, BucketError> {
        let name = BucketName::parse(bucket).map_err(failed)?;
        match self.0.bucket(&name).await {
            Ok(_) => Ok(true),
            Err(ObjectError::NoSuchBucket(_)) => Ok(false),
            Err(error) => Err(failed(error)),
        }
    }
}

fn failed(error: ObjectError) -> BucketError {
    match error {
        ObjectError::NoSuchBucket(bucket) | ObjectError::InvalidBucketName(bucket) => {
            BucketError::NoBucket(bucket)
        }
        other => BucketError::Failed(other.to_string()),
    }
}
