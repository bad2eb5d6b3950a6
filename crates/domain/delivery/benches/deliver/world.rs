//! Deliveries that read from memory, and everything that they need of others.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::MemoryCatalog;
use headwater_delivery::{
    Deliveries, Destination, LogSink, NewOrigin, NewStream, Offline, Options, Ports, SourceRecord,
    TableError, TableVersion, Tables,
};
use headwater_env::Env;
use headwater_log::EmbeddedLog;
use headwater_objects::{BucketName, DirectoryStore, ObjectStore};
use headwater_types::{Account, Arn, Millis, Region, SequenceNumber, ShardIndex};
use tempfile::TempDir;

use crate::{
    Load,
    cost::{Begun, Taken},
    function::Echo,
    objects::Counter,
    source::MemoryStream,
    trips::COLUMNS,
};

/// The bucket of all objects.
pub const BUCKET: &str = "trips";

/// Between two looks at whether all is delivered.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// An ARN in some account.
pub fn arn(service: &str, resource: &str) -> Arn {
    Arn::new(
        service,
        &Region("us-east-1".into()),
        &Account("000000000000".into()),
        resource,
    )
}

pub struct World {
    pub env: Env,
    deliveries: Arc<Deliveries>,
    stream: MemoryStream,
    echo: Arc<Echo>,
    /// The bytes of all objects so far.
    bytes: Arc<AtomicU64>,
    _dir: TempDir,
}

impl World {
    /// A stream of `load` that nobody reads yet; objects go to a folder in `disk` where there is one.
    pub async fn open(load: &Load, disk: Option<PathBuf>) -> Self {
        let (env, catalog) = (Env::real(), Arc::new(MemoryCatalog::default()));
        let dir = match &disk {
            Some(disk) => tempfile::tempdir_in(disk),
            None => tempfile::tempdir(),
        };
        let dir = dir.expect("a folder to write to");
        let stream = MemoryStream::of(records(load, env.clock.now()));
        let bytes = Arc::new(AtomicU64::new(0));
        let disk = match disk {
            Some(_) => Some(store(&env, &dir, catalog.clone()).await),
            None => None,
        };
        let echo = Arc::new(Echo::open(&env, catalog.clone(), dir.path()).await);
        let ports = Ports {
            sources: Arc::new(stream.clone()),
            invoke: echo.clone(),
            objects: Arc::new(Counter {
                bytes: bytes.clone(),
                disk,
            }),
            logs: Arc::new(NoLogs),
            tables: Arc::new(Trips),
            web: Arc::new(Offline),
            warehouse: Arc::new(Offline),
        };
        let log = EmbeddedLog::open(
            env.clone(),
            headwater_log::Options::new(dir.path().join("log")),
        );
        let log = Arc::new(log.expect("a log"));
        let options = Options {
            spool: dir.path().join("spool"),
            ..Options::default()
        };
        let deliveries = Deliveries::open(env.clone(), catalog, log, ports, options).await;
        let deliveries = deliveries.expect("an empty catalog");
        Self {
            env,
            deliveries,
            stream,
            echo,
            bytes,
            _dir: dir,
        }
    }

    /// Delivers all records to `destination`, once: what that took, and the bytes of its objects.
    pub async fn deliver(&self, destination: &Destination) -> (Taken, u64) {
        self.stream.clear();
        let new = NewStream {
            name: "d".into(),
            id: self.deliveries.new_id(),
            arn: arn("firehose", "deliverystream/d"),
            origin: NewOrigin::Stream {
                arn: arn("kinesis", "stream/trips"),
                role: "role".into(),
            },
            destination: destination.clone(),
            description: serde_json::Value::Null,
            tags: BTreeMap::new(),
            encryption: None,
        };
        self.deliveries
            .create(new)
            .await
            .expect("a valid destination");
        let (begun, before) = (Begun::now(&self.env), self.bytes.load(Ordering::Relaxed));
        self.stream.fill();
        while !self.is_delivered().await {
            self.env.clock.sleep(LOOK_EVERY).await;
        }
        let taken = begun.taken();
        self.deliveries.delete("d").await.expect("it is there");
        (taken, self.bytes.load(Ordering::Relaxed) - before)
    }

    /// The first request to a function since this was called last.
    pub fn take_sent(&self) -> Option<Bytes> {
        self.echo.take_sent()
    }

    async fn is_delivered(&self) -> bool {
        let status = self.deliveries.status("d").await.expect("it is there");
        assert_eq!(status.incident, None);
        status.behind == Some(0)
    }
}

fn records(load: &Load, arrival: Millis) -> impl Iterator<Item = SourceRecord> {
    (0..)
        .zip(&load.records)
        .map(move |(offset, data)| SourceRecord {
            offset,
            sequence_number: SequenceNumber::of_record(arrival, ShardIndex(0), offset, arrival),
            partition_key: format!("trip-{offset}").into(),
            data: data.clone(),
            arrival,
        })
}

/// The object store of a server, with the bucket.
async fn store(env: &Env, dir: &TempDir, catalog: Arc<MemoryCatalog>) -> DirectoryStore {
    let store = DirectoryStore::open(env.clone(), &dir.path().join("objects"), catalog).await;
    let store = store.expect("an empty store");
    let bucket = BucketName::parse(BUCKET).expect("a name");
    store.create_bucket(&bucket).await.expect("an empty store");
    store
}

struct NoLogs;

#[async_trait]
impl LogSink for NoLogs {
    async fn append(&self, _group: &str, _stream: &str, _time: Millis, _line: String) {}
}

/// Knows the one table.
struct Trips;

#[async_trait]
impl Tables for Trips {
    async fn version(&self, _: &str, _: &str, _: Option<u64>) -> Result<TableVersion, TableError> {
        let columns = COLUMNS.map(|(name, kind)| (name.to_owned(), kind.to_owned()));
        Ok(TableVersion {
            version: 1,
            columns: columns.into(),
        })
    }
}
