//! The ports of channels for tests in which nothing is to arrive anywhere.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_delivery::{
    ChunkStream, Invoke, InvokeError, LogSink, ObjectMeta, Objects, ObjectsError, Offline, Ports,
    Sources,
};
use headwater_types::{Arn, Millis};

struct Nowhere;

/// Ports that lead from `sources` to nowhere.
pub(crate) fn ports(sources: Arc<dyn Sources>) -> Ports {
    Ports {
        sources,
        invoke: Arc::new(Nowhere),
        objects: Arc::new(Nowhere),
        logs: Arc::new(Nowhere),
        tables: Arc::new(Offline),
        web: Arc::new(Offline),
        warehouse: Arc::new(Offline),
    }
}

#[async_trait]
impl Invoke for Nowhere {
    async fn invoke(&self, arn: &Arn, _payload: Bytes) -> Result<Bytes, InvokeError> {
        Err(InvokeError::NotFound(arn.to_string()))
    }
}

#[async_trait]
impl Objects for Nowhere {
    async fn put(
        &self,
        bucket: &str,
        _: &str,
        _: ChunkStream,
        _: ObjectMeta,
    ) -> Result<(), ObjectsError> {
        Err(ObjectsError::NoBucket(bucket.to_owned()))
    }

    async fn get(&self, bucket: &str, _: &str) -> Result<ChunkStream, ObjectsError> {
        Err(ObjectsError::NoBucket(bucket.to_owned()))
    }

    async fn delete(&self, _bucket: &str, _key: &str) -> Result<(), ObjectsError> {
        Ok(())
    }

    async fn sweep(&self, _: &str, _: &str) -> Result<(), ObjectsError> {
        Ok(())
    }

    async fn bucket_exists(&self, _bucket: &str) -> Result<bool, ObjectsError> {
        Ok(false)
    }
}

#[async_trait]
impl LogSink for Nowhere {
    async fn append(&self, _group: &str, _stream: &str, _time: Millis, _line: String) {}
}
