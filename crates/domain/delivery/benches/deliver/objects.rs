//! Where objects go: they are counted, and dropped or kept on the disk.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use futures_util::TryStreamExt;
use headwater_delivery::{ChunkStream, ObjectMeta, Objects, ObjectsError};
use headwater_objects::{DirectoryStore, ObjectName, ObjectStore, Put};

/// The prefix of the keys of records that failed.
pub const FAILED: &str = "failed/";

/// The bytes of all objects so far, and where they go after they were counted.
pub struct Counter {
    pub bytes: Arc<AtomicU64>,
    pub disk: Option<DirectoryStore>,
}

#[async_trait]
impl Objects for Counter {
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: ChunkStream,
        _: ObjectMeta,
    ) -> Result<(), ObjectsError> {
        assert!(!key.starts_with(FAILED), "records fail");
        let bytes = self.bytes.clone();
        let body = body.inspect_ok(move |piece| {
            bytes.fetch_add(piece.len() as u64, Ordering::Relaxed);
        });
        let Some(disk) = &self.disk else {
            return body.try_for_each(async |_| Ok(())).await.map_err(failed);
        };
        let put = Put::new(ObjectName::parse(bucket, key).map_err(failed)?);
        let body = headwater_objects::Body {
            chunks: Box::pin(body),
            len: None,
        };
        disk.put(put, body).await.map(drop).map_err(failed)
    }

    async fn get(&self, _bucket: &str, _key: &str) -> Result<ChunkStream, ObjectsError> {
        Err(ObjectsError::Failed("nothing is read here".into()))
    }

    async fn delete(&self, _bucket: &str, _key: &str) -> Result<(), ObjectsError> {
        Err(ObjectsError::Failed("nothing is done again here".into()))
    }

    async fn sweep(&self, _bucket: &str, _key: &str) -> Result<(), ObjectsError> {
        Ok(())
    }

    async fn bucket_exists(&self, _bucket: &str) -> Result<bool, ObjectsError> {
        Ok(true)
    }
}

fn failed(error: impl ToString) -> ObjectsError {
    ObjectsError::Failed(error.to_string())
}
