//! A door over deliveries whose surroundings do nothing, for the tests beside the operations.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_delivery::{
    ChunkStream, Deliveries, Invoke, InvokeError, LogSink, ObjectMeta, Objects, ObjectsError,
    Offline, Options, Ports, Quotas, Source, SourceChunk, SourceError, SourceLimit, SourceShard,
    Sources,
};
use headwater_env::{Env, ManualClock, SeededRandom};
use headwater_log::EmbeddedLog;
use headwater_shapes::{Operation, Tree};
use headwater_shapes_firehose::ops;
use headwater_types::{Account, Arn, Millis, Region};
use headwater_wire::{ApiError, Context, Handle};
use serde_json::{Value, json};

use crate::Firehose;

/// The type and text of a refusal.
pub type Refused = (String, String);

/// A door of a test's own.
pub struct World {
    firehose: Firehose,
    _dir: tempfile::TempDir,
}

struct Nothing;

#[async_trait]
impl Sources for Nothing {
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        match arn.name_of("stream") {
            Some("missing") | None => Err(SourceError::NotFound("missing".into())),
            Some(_) => Ok(Arc::new(Nothing)),
        }
    }
}

#[async_trait]
impl Source for Nothing {
    fn identity(&self) -> String {
        String::new()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        Ok(Vec::new())
    }

    async fn read(
        &self,
        shard: &str,
        _from: u64,
        _limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        Err(SourceError::NotFound(shard.to_owned()))
    }

    async fn offset_at(&self, shard: &str, _time: Millis) -> Result<u64, SourceError> {
        Err(SourceError::NotFound(shard.to_owned()))
    }

    async fn wait(&self, _shard: &str, _from: u64) {
        std::future::pending().await
    }
}

#[async_trait]
impl Invoke for Nothing {
    async fn invoke(&self, arn: &Arn, _payload: Bytes) -> Result<Bytes, InvokeError> {
        Err(InvokeError::NotFound(arn.to_string()))
    }
}

#[async_trait]
impl Objects for Nothing {
    async fn put(
        &self,
        bucket: &str,
        _key: &str,
        _body: ChunkStream,
        _meta: ObjectMeta,
    ) -> Result<(), ObjectsError> {
        Err(ObjectsError::NoBucket(bucket.to_owned()))
    }

    async fn get(&self, bucket: &str, _key: &str) -> Result<ChunkStream, ObjectsError> {
        Err(ObjectsError::NoBucket(bucket.to_owned()))
    }

    async fn delete(&self, _bucket: &str, _key: &str) -> Result<(), ObjectsError> {
        Ok(())
    }

    async fn sweep(&self, _bucket: &str, _prefix: &str) -> Result<(), ObjectsError> {
        Ok(())
    }

    async fn bucket_exists(&self, _bucket: &str) -> Result<bool, ObjectsError> {
        Ok(false)
    }
}

#[async_trait]
impl LogSink for Nothing {
    async fn append(&self, _group: &str, _stream: &str, _time: Millis, _line: String) {}
}

impl World {
    pub async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Millis(1_700_000_000_500)));
        let env = Env {
            clock,
            random: Arc::new(SeededRandom::new(1)),
            ..Env::real()
        };
        let dir = tempfile::tempdir().unwrap();
        let log = EmbeddedLog::open(env.clone(), headwater_log::Options::new(dir.path()))
            .await
            .unwrap();
        let nothing = Arc::new(Nothing);
        let ports = Ports {
            sources: nothing.clone(),
            invoke: nothing.clone(),
            objects: nothing.clone(),
            logs: nothing,
            tables: Arc::new(Offline),
            web: Arc::new(Offline),
            warehouse: Arc::new(Offline),
        };
        let catalog = Arc::new(MemoryCatalog::default());
        let options = Options {
            quotas: Some(Quotas::of_region("us-east-1")),
            ..Options::default()
        };
        let deliveries = Deliveries::open(env, catalog, Arc::new(log), ports, options)
            .await
            .unwrap();
        Self {
            firehose: Firehose { deliveries },
            _dir: dir,
        }
    }

    /// Makes a delivery stream that is put into directly.
    pub async fn direct(&self, name: &str) {
        let destination =
            json!({"RoleARN": "arn:aws:iam::000000000000:role/r", "BucketARN": "arn:aws:s3:::b"});
        let input = json!({"DeliveryStreamName": name, "S3DestinationConfiguration": destination});
        self.ok::<ops::CreateDeliveryStream>(input).await;
    }

    /// How a delivery stream's encryption is described.
    pub async fn encryption(&self, name: &str) -> Value {
        let described = self
            .ok::<ops::DescribeDeliveryStream>(json!({"DeliveryStreamName": name}))
            .await;
        described["DeliveryStreamDescription"]["DeliveryStreamEncryptionConfiguration"].clone()
    }

    /// Calls an operation with input and output as JSON clients see them.
    pub async fn call<Op: Operation>(&self, input: Value) -> Result<Value, Refused>
    where
        Firehose: Handle<Op>,
    {
        let input = Op::Input::from_value(input).unwrap();
        let output = Handle::<Op>::handle(&self.firehose, input, &context()).await;
        let output = output.map_err(|e: ApiError| (e.code().to_owned(), e.message().to_owned()))?;
        Ok(output.to_value())
    }

    pub async fn ok<Op: Operation>(&self, input: Value) -> Value
    where
        Firehose: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap()
    }

    /// The type and text that an operation is refused with.
    pub async fn refused<Op: Operation>(&self, input: Value) -> Refused
    where
        Firehose: Handle<Op>,
    {
        self.call::<Op>(input).await.unwrap_err()
    }
}

/// `code` and `message` as [`World::refused`] gives them.
pub fn refusal(code: &str, message: &str) -> Refused {
    (code.to_owned(), message.to_owned())
}

fn context() -> Context {
    Context::new(
        "request",
        Region("us-east-1".to_owned()),
        Account("000000000000".to_owned()),
        "127.0.0.1:4566",
    )
}
