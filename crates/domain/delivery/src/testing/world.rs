//! All stand-ins together: what survives a crash, and the process that does not.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_catalog::{Catalog, MemoryCatalog};
use headwater_env::{Clock, Env, ManualClock, SeededRandom, SimDisk};
use headwater_reading::testing::FakeSources;
use headwater_types::{Arn, Millis};
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    FakeObjects, FakeSource, Fuse, MemoryLog, fuse::FusedCatalog, hang_up::YieldingCatalog,
    objects::FusedObjects,
};
use crate::{
    Deliveries, Options,
    intent::{Family, Store},
    ports::{Invoke, InvokeError, LogSink, Ports, Source, TableError, TableVersion, Tables},
};

/// When tests begin.
const START: Millis = Millis(1_535_364_672_000);
/// Turns that a test waits for something before it gives up.
const TURNS_MAX: u32 = 3_000_000;

/// One call of the function: its number over all processes, and the records by id.
pub struct FunctionCall {
    pub number: u64,
    pub request: Value,
    pub records: Vec<(String, String)>,
}

impl FunctionCall {
    /// An answer in which every record has its data in capitals.
    pub fn ok(&self) -> Value {
        self.answer(|_, data| ("Ok", data.to_uppercase()))
    }

    /// An answer with a result and data for every record.
    pub fn answer(&self, result: impl Fn(&str, &str) -> (&'static str, String)) -> Value {
        let record = |(id, data): &(String, String)| {
            let (result, data) = result(id, data);
            json!({"recordId": id, "result": result, "data": STANDARD.encode(data)})
        };
        json!({"records": self.records.iter().map(record).collect::<Vec<_>>()})
    }
}

type Behaviour = dyn Fn(FunctionCall) -> Result<Value, InvokeError> + Send + Sync;

/// The function, as it is to behave.
struct FakeFunction {
    behaviour: Mutex<Arc<Behaviour>>,
    calls: AtomicU64,
}

#[async_trait]
impl Invoke for FakeFunction {
    async fn invoke(&self, _arn: &Arn, payload: Bytes) -> Result<Bytes, InvokeError> {
        let request: Value = serde_json::from_slice(&payload).unwrap();
        let record = |record: &Value| {
            let data = STANDARD.decode(record["data"].as_str().unwrap()).unwrap();
            (
                record["recordId"].as_str().unwrap().to_owned(),
                String::from_utf8(data).unwrap(),
            )
        };
        let records = request["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(record)
            .collect();
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let behaviour = self.behaviour.lock().clone();
        behaviour(FunctionCall {
            number,
            request,
            records,
        })
        .map(|answer| answer.to_string().into())
    }
}

#[derive(Default)]
struct FakeLogs(Mutex<Vec<String>>);

#[async_trait]
impl LogSink for FakeLogs {
    async fn append(&self, group: &str, stream: &str, _time: Millis, line: String) {
        self.0.lock().push(format!("{group} {stream} {line}"));
    }
}

/// A table whose versions have one more column each.
#[derive(Default)]
pub struct FakeTables(pub AtomicU64);

#[async_trait]
impl Tables for FakeTables {
    async fn version(
        &self,
        _: &str,
        table: &str,
        version: Option<u64>,
    ) -> Result<TableVersion, TableError> {
        let newest = self.0.load(Ordering::Relaxed);
        if newest == 0 {
            return Err(TableError::NotFound(format!("there is no table {table}")));
        }
        let version = version.unwrap_or(newest);
        let columns = (0..version)
            .map(|n| (format!("c{n}"), "int".to_owned()))
            .collect();
        Ok(TableVersion { version, columns })
    }
}

/// The parts of the world that survive a crash.
pub struct World {
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub catalog: Arc<MemoryCatalog>,
    pub source: Arc<FakeSource>,
    pub objects: Arc<FakeObjects>,
    pub log: Arc<MemoryLog>,
    pub options: Options,
    pub tables: Arc<FakeTables>,
    /// Whether the catalog lets others run around each operation.
    yields: bool,
    function: Arc<FakeFunction>,
    logs: Arc<FakeLogs>,
}

impl World {
    /// A world with a stream of `shards` shards and a function that answers in capitals.
    pub fn new(shards: usize) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let (random, disk) = (Arc::new(SeededRandom::new(1)), Arc::new(SimDisk::new(1)));
        let env = Env {
            clock: clock.clone(),
            random,
            disk,
            ..Env::real()
        };
        let behaviour: Arc<Behaviour> = Arc::new(|call: FunctionCall| Ok(call.ok()));
        Self {
            clock,
            env,
            catalog: Arc::default(),
            source: FakeSource::new(shards),
            objects: Arc::default(),
            log: Arc::default(),
            options: Options::default(),
            tables: Arc::default(),
            yields: false,
            function: Arc::new(FakeFunction {
                behaviour: Mutex::new(behaviour),
                calls: AtomicU64::new(0),
            }),
            logs: Arc::default(),
        }
    }

    /// A world with an empty stream, whose catalog lets others run before and after each operation.
    pub fn yielding() -> Self {
        Self {
            yields: true,
            ..Self::new(1)
        }
    }

    /// Changes how the function behaves.
    pub fn behave(
        &self,
        behaviour: impl Fn(FunctionCall) -> Result<Value, InvokeError> + Send + Sync + 'static,
    ) {
        *self.function.behaviour.lock() = Arc::new(behaviour);
    }

    /// How often the function was called.
    pub fn calls(&self) -> u64 {
        self.function.calls.load(Ordering::Relaxed)
    }

    /// The lines in the log.
    pub fn log_lines(&self) -> Vec<String> {
        self.logs.0.lock().clone()
    }

    /// Starts a process that lives.
    pub async fn open(&self) -> Arc<Deliveries> {
        self.open_with(&Fuse::new(None)).await
    }

    /// Starts a process with a fuse.
    pub async fn open_with(&self, fuse: &Arc<Fuse>) -> Arc<Deliveries> {
        let ports = Ports {
            sources: Arc::new(FakeSources(self.source.clone())),
            invoke: self.function.clone(),
            objects: Arc::new(FusedObjects {
                inner: self.objects.clone(),
                fuse: fuse.clone(),
            }),
            logs: self.logs.clone(),
            tables: self.tables.clone(),
            web: Arc::new(crate::ports::Offline),
            warehouse: Arc::new(crate::ports::Offline),
        };
        let inner: Arc<dyn Catalog> = match self.yields {
            true => Arc::new(YieldingCatalog(self.catalog.clone())),
            false => self.catalog.clone(),
        };
        let fuse = fuse.clone();
        let catalog = Arc::new(FusedCatalog { inner, fuse });
        Deliveries::open(
            self.env.clone(),
            catalog,
            self.log.clone(),
            ports,
            self.options.clone(),
        )
        .await
        .unwrap()
    }

    /// Puts a record into the stream, now.
    pub fn put(&self, shard: usize, data: impl Into<Bytes>) {
        self.source.put(shard, data, self.clock.now());
    }

    /// Lets time pass until `done`.
    pub async fn until(&self, mut done: impl AsyncFnMut() -> bool) {
        for _ in 0..TURNS_MAX {
            if done().await {
                return;
            }
            self.clock.advance(Duration::from_millis(100));
            // The blocking pool works on threads of its own: let it have the processor.
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
        panic!("what the test waits for did not come");
    }

    /// Lets time pass until all records of the stream are delivered.
    pub async fn until_delivered(&self) {
        self.until(async || self.is_delivered().await).await;
    }

    /// Whether every delivery stream's checkpoint is at the end of each shard that has records, and no batch is under
    /// way.
    pub async fn is_delivered(&self) -> bool {
        let ends: BTreeMap<_, _> = self
            .source
            .shards()
            .await
            .unwrap()
            .into_iter()
            .filter(|shard| shard.first < shard.end)
            .map(|shard| (shard.id, shard.end))
            .collect();
        let progress = Store::new(self.catalog.clone(), Family::Streams)
            .progress
            .all()
            .await
            .unwrap();
        progress.iter().all(|(_, found)| {
            let at = |shard: &String| found.value.positions.get(shard).copied().unwrap_or(0);
            found.value.intent.is_none() && ends.iter().all(|(shard, end)| at(shard) == *end)
        })
    }

    /// The originals of what failed.
    pub fn failed(&self) -> Vec<String> {
        let raw = |line: &str| {
            let line: Value = serde_json::from_str(line).unwrap();
            String::from_utf8(STANDARD.decode(line["rawData"].as_str().unwrap()).unwrap()).unwrap()
        };
        let text = |prefix| {
            self.objects
                .text(prefix)
                .lines()
                .map(raw)
                .collect::<Vec<_>>()
        };
        [
            text("processing-failed/"),
            text("metadata-extraction-failed/"),
        ]
        .concat()
    }
}
