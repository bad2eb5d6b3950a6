//! A service on a store of a test's own.

use std::sync::Arc;

use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_env::Env;
use headwater_objects::{
    Body, BucketName, Delete, DirectoryStore, Get, ObjectInfo, ObjectName, ObjectQuery, Put,
    Versioning,
};
use headwater_shapes::Operation;
use headwater_types::{Account, Region};
use headwater_wire::{ApiError, Context, Handle};

use crate::S3;

/// A service with a bucket named `bucket`, in a directory that goes with it.
pub struct World {
    pub s3: S3,
    _dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> Self {
        Self::within(Env::real()).await
    }

    /// The same with time and chance of a test's own.
    pub async fn within(env: Env) -> Self {
        let (dir, clock) = (tempfile::tempdir().unwrap(), env.clock.clone());
        let catalog = Arc::new(MemoryCatalog::default());
        let store = DirectoryStore::open(env, &dir.path().join("objects"), catalog)
            .await
            .unwrap();
        let world = Self {
            s3: S3 {
                store: Arc::new(store),
                clock,
            },
            _dir: dir,
        };
        world.create_bucket("bucket").await;
        world
    }

    /// A world with an object that has a type, metadata and a tag.
    pub async fn with_object(key: &str, text: &'static str) -> Self {
        let world = Self::new().await;
        world.put(key, text).await;
        world
    }

    pub async fn create_bucket(&self, name: &str) {
        self.s3
            .store
            .create_bucket(&BucketName::parse(name).unwrap())
            .await
            .unwrap();
    }

    pub async fn put(&self, key: &str, text: &'static str) {
        let mut put = Put::new(name(key));
        let entry = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        put.attributes.headers = entry("content-type", "text/plain");
        put.attributes.metadata = entry("color", "blue");
        put.attributes.tags = entry("stage", "test");
        self.s3
            .store
            .put(put, Body::from_bytes(text))
            .await
            .unwrap();
    }

    pub async fn read(&self, key: &str) -> Bytes {
        let (_, body) = self.s3.store.get(&Get::new(name(key))).await.unwrap();
        body.collect(1 << 20).await.unwrap()
    }

    pub async fn head(&self, key: &str) -> ObjectInfo {
        self.s3
            .store
            .head(&Get::new(name(key)))
            .await
            .unwrap()
            .object
    }

    pub async fn delete(&self, key: &str) {
        let delete = Delete::new(name(key));
        self.s3.store.delete(&delete).await.unwrap();
    }

    /// Has the bucket keep versions.
    pub async fn enable_versions(&self) {
        let bucket = BucketName::parse("bucket").unwrap();
        let set = self.s3.store.set_versioning(&bucket, Versioning::Enabled);
        set.await.unwrap();
    }

    pub async fn keys(&self) -> Vec<String> {
        let query = ObjectQuery {
            bucket: BucketName::parse("bucket").unwrap(),
            prefix: String::new(),
            delimiter: None,
            after: None,
            limit: 1000,
        };
        self.s3
            .store
            .list(&query)
            .await
            .unwrap()
            .objects
            .into_iter()
            .map(|object| object.key)
            .collect()
    }
}

fn name(key: &str) -> ObjectName {
    ObjectName::parse("bucket", key).unwrap()
}

/// The context of a request to a local server.
pub fn context() -> Context {
    Context::new(
        "request",
        Region("us-east-1".into()),
        Account("000000000000".into()),
        "localhost:4566",
    )
}

/// Calls an operation.
pub async fn call<Op: Operation>(s3: &S3, input: Op::Input) -> Result<Op::Output, ApiError>
where
    S3: Handle<Op>,
{
    s3.handle(input, &context()).await
}
