//! An object store in memory, whose puts fail on demand.

use std::{
    collections::{BTreeMap, VecDeque},
    io::Read,
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use parking_lot::Mutex;

use super::Fuse;
use crate::ports::{ChunkStream, ObjectMeta, Objects, ObjectsError};

/// The outcome of one put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PutFault {
    /// It works.
    None,
    /// It fails before it reads its body.
    Refused,
    /// It is done and reports a failure.
    Denied,
}

/// The objects that are stored, and the faults to come.
#[derive(Default)]
pub struct FakeObjects {
    pub stored: Mutex<BTreeMap<String, (Bytes, ObjectMeta)>>,
    pub faults: Mutex<VecDeque<PutFault>>,
    /// The outcome of every put under a prefix.
    pub stubborn: Mutex<BTreeMap<String, PutFault>>,
    pub bucket_gone: Mutex<bool>,
    pub puts: Mutex<u64>,
    /// The keys that were swept.
    pub swept: Mutex<Vec<String>>,
}

impl FakeObjects {
    /// The keys that start with `prefix`.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.stored
            .lock()
            .keys()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    fn fault(&self, key: &str) -> PutFault {
        let next = self.faults.lock().pop_front().unwrap_or(PutFault::None);
        let stubborn = self.stubborn.lock();
        stubborn
            .iter()
            .find(|(prefix, _)| key.starts_with(*prefix))
            .map_or(next, |(_, fault)| *fault)
    }

    /// The text of all objects whose keys start with `prefix`, one behind the other, unpacked.
    pub fn text(&self, prefix: &str) -> String {
        let stored = self.stored.lock();
        stored
            .iter()
            .filter(|(key, _)| key.starts_with(prefix))
            .map(|(_, (body, meta))| unpack(body, meta))
            .collect()
    }
}

fn unpack(body: &Bytes, meta: &ObjectMeta) -> String {
    let mut text = String::new();
    match meta.content_encoding {
        Some("gzip") => flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text),
        Some("zstd") => zstd::stream::read::Decoder::new(&body[..])
            .unwrap()
            .read_to_string(&mut text),
        _ => (&body[..]).read_to_string(&mut text),
    }
    .unwrap();
    text
}

/// The store as one process sees it.
pub struct FusedObjects {
    pub inner: Arc<FakeObjects>,
    pub fuse: Arc<Fuse>,
}

fn refused() -> ObjectsError {
    ObjectsError::Failed("refused by the test".into())
}

#[async_trait]
impl Objects for FusedObjects {
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: ChunkStream,
        meta: ObjectMeta,
    ) -> Result<(), ObjectsError> {
        *self.inner.puts.lock() += 1;
        if *self.inner.bucket_gone.lock() {
            return Err(ObjectsError::NoBucket(bucket.to_owned()));
        }
        let fault = self.inner.fault(key);
        if fault == PutFault::Refused {
            return Err(refused());
        }
        let chunks: Vec<Bytes> = body.try_collect().await.map_err(|_| refused())?;
        self.fuse
            .guard(async {
                self.inner
                    .stored
                    .lock()
                    .insert(key.to_owned(), (chunks.concat().into(), meta));
            })
            .await;
        if fault == PutFault::Denied {
            Err(refused())
        } else {
            Ok(())
        }
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<ChunkStream, ObjectsError> {
        if *self.inner.bucket_gone.lock() {
            return Err(ObjectsError::NoBucket(bucket.to_owned()));
        }
        let stored = self
            .inner
            .stored
            .lock()
            .get(key)
            .map(|(body, _)| body.clone());
        let body =
            stored.ok_or_else(|| ObjectsError::Failed(format!("there is no object {key}")))?;
        Ok(Box::pin(futures_util::stream::once(async { Ok(body) })))
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectsError> {
        if *self.inner.bucket_gone.lock() {
            return Err(ObjectsError::NoBucket(bucket.to_owned()));
        }
        self.fuse
            .guard(async {
                self.inner.stored.lock().remove(key);
            })
            .await;
        Ok(())
    }

    async fn sweep(&self, _bucket: &str, key: &str) -> Result<(), ObjectsError> {
        self.inner.swept.lock().push(key.to_owned());
        Ok(())
    }

    async fn bucket_exists(&self, _bucket: &str) -> Result<bool, ObjectsError> {
        Ok(!*self.inner.bucket_gone.lock())
    }
}
