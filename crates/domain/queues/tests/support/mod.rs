//! Queues over a stream in memory, with a clock that stands still, a catalog that fails when told to, and restarts.
#![allow(clippy::unwrap_used, reason = "this is test code")]
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_catalog::{Checked, testing::MortalCatalog};
use headwater_env::{Env, ManualClock, SeededRandom, Spawn, testing::CountedTasks};
use headwater_log::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_queues::{
    Action, Attributes, Error, Kind, NewQueue, QueueQuota, QueueRecord, Queues, Receipt,
    ReceiptError, Receive, Received, Start,
};
use headwater_types::{Arn, Millis, SequenceNumber, ShardIndex};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub const START: Millis = Millis(1_700_000_000_000);

/// A stream whose shards a test fills, ends and trims.
#[derive(Default)]
pub struct Stream {
    shards: Mutex<Vec<Shard>>,
    changed: Notify,
}

#[derive(Default)]
struct Shard {
    records: Vec<SourceRecord>,
    first: u64,
    ended: bool,
}

impl Stream {
    pub fn add_shard(&self) {
        self.shards.lock().push(Shard::default());
        self.changed.notify_waiters();
    }

    pub fn put(&self, shard: usize, data: impl Into<Bytes>, arrival: Millis) -> u64 {
        let mut shards = self.shards.lock();
        let offset = shards[shard].records.len() as u64;
        shards[shard].records.push(SourceRecord {
            offset,
            sequence_number: SequenceNumber::of_record(
                arrival,
                ShardIndex(shard as u32),
                offset,
                arrival,
            ),
            partition_key: format!("key-{offset}").into(),
            data: data.into(),
            arrival,
        });
        drop(shards);
        self.changed.notify_waiters();
        offset
    }

    /// Forgets the records of a shard before `first`.
    pub fn trim(&self, shard: usize, first: u64) {
        self.shards.lock()[shard].first = first;
    }

    /// Ends a shard, and opens two in its place.
    pub fn split(&self, shard: usize) {
        self.shards.lock()[shard].ended = true;
        self.add_shard();
        self.add_shard();
    }

    fn with<T>(&self, shard: &str, work: impl FnOnce(&Shard) -> T) -> Result<T, SourceError> {
        let shards = self.shards.lock();
        let found = shard.parse::<usize>().ok().and_then(|at| shards.get(at));
        found
            .map(work)
            .ok_or_else(|| SourceError::NotFound(shard.to_owned()))
    }
}

#[async_trait]
impl Source for Stream {
    fn identity(&self) -> String {
        "7".to_owned()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let shards = self.shards.lock();
        let list = |(shard, id): (&Shard, usize)| SourceShard {
            id: id.to_string(),
            parents: Vec::new(),
            first: shard.first,
            end: shard.records.len() as u64,
            ended: shard.ended,
        };
        Ok(shards.iter().zip(0..).map(list).collect())
    }

    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        self.with(shard, |shard| {
            let (end, start) = (shard.records.len() as u64, from.max(shard.first));
            let found = shard
                .records
                .iter()
                .skip(start as usize)
                .take(limit.records);
            let records: Vec<_> = found.cloned().collect();
            let next = records
                .last()
                .map_or(start.min(end), |record| record.offset + 1);
            SourceChunk {
                records,
                next,
                end,
                ended: shard.ended,
            }
        })
    }

    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError> {
        let at = |shard: &Shard| {
            shard
                .records
                .partition_point(|record| record.arrival < time) as u64
        };
        self.with(shard, |shard| at(shard).max(shard.first))
    }

    async fn wait(&self, shard: &str, from: u64) {
        loop {
            let changed = self.changed.notified();
            let is_over = |shard: &Shard| shard.ended || shard.records.len() as u64 > from;
            if self.with(shard, is_over).unwrap_or(true) {
                return;
            }
            changed.await;
        }
    }
}

/// Finds the one stream, unless it was deleted.
pub struct Streams {
    pub stream: Arc<Stream>,
    pub deleted: AtomicBool,
}

#[async_trait]
impl Sources for Streams {
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        if self.deleted.load(Ordering::SeqCst) {
            return Err(SourceError::NotFound(arn.to_string()));
        }
        Ok(self.stream.clone())
    }
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub env: Env,
    pub catalog: Arc<MortalCatalog>,
    pub streams: Arc<Streams>,
    pub stream: Arc<Stream>,
    pub queues: Arc<Queues>,
}

impl World {
    /// A world whose stream has as many open shards.
    pub async fn new(shards: usize) -> Self {
        Self::with_tasks(shards, Env::real().tasks).await
    }

    /// The same with changes that can be waited for.
    pub async fn counted(shards: usize, tasks: &CountedTasks) -> Self {
        Self::with_tasks(shards, Arc::new(tasks.clone())).await
    }

    async fn with_tasks(shards: usize, tasks: Arc<dyn Spawn>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let env = Env {
            clock: clock.clone(),
            random: Arc::new(SeededRandom::new(1)),
            tasks,
            ..Env::real()
        };
        let stream = Arc::new(Stream::default());
        (0..shards).for_each(|_| stream.add_shard());
        let streams = Arc::new(Streams {
            stream: stream.clone(),
            deleted: AtomicBool::new(false),
        });
        let catalog = Arc::new(MortalCatalog::default());
        let queues = Queues::open(env.clone(), catalog.clone(), streams.clone())
            .await
            .unwrap();
        Self {
            clock,
            env,
            catalog,
            streams,
            stream,
            queues,
        }
    }

    /// Starts anew from what the catalog has.
    pub async fn reopen(&mut self) {
        self.queues = Queues::open(self.env.clone(), self.catalog.clone(), self.streams.clone())
            .await
            .unwrap();
    }

    pub fn now(&self) -> Millis {
        self.env.clock.now()
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub fn put(&self, shard: usize, data: &str) -> u64 {
        self.stream.put(shard, data.to_owned(), self.now())
    }

    /// A queue that begins with the oldest record.
    pub async fn queue(&self, attributes: Attributes) -> String {
        let new = NewQueue {
            attributes,
            ..new_queue("q")
        };
        self.queues.create(new, room(20)).await.unwrap().id
    }

    /// All that can be received at once.
    pub async fn receive(&self, id: &str, kind: Kind, limit: usize) -> Vec<Received> {
        let receive = Receive {
            limit,
            wait: Duration::ZERO,
            ..records(kind)
        };
        self.queues.receive(id, receive).await.unwrap()
    }

    /// The data of what there is to receive at once, in order of the texts.
    pub async fn data(&self, id: &str, kind: Kind) -> Vec<String> {
        let mut data: Vec<String> = self.receive(id, kind, 10).await.iter().map(text).collect();
        data.sort();
        data
    }

    pub async fn settle(
        &self,
        id: &str,
        received: &Received,
        action: Action,
    ) -> Result<(), ReceiptError> {
        let Receipt { kind, .. } = received.receipt;
        self.queues
            .settle(id, kind, vec![(received.receipt.clone(), action)])
            .await
            .unwrap()
            .remove(0)
    }

    pub async fn record(&self, id: &str) -> Result<QueueRecord, Error> {
        self.queues.get(id)
    }
}

/// The same quota of queues for every stream.
struct FixedQuota(usize);

#[async_trait]
impl QueueQuota for FixedQuota {
    async fn of(&self, _: &Arn) -> Result<Checked<usize>, SourceError> {
        Ok(Checked::new(self.0, Vec::new()))
    }
}

/// The same quota of queues for every stream.
pub fn room(queues: usize) -> Arc<dyn QueueQuota> {
    Arc::new(FixedQuota(queues))
}

pub fn new_queue(name: &str) -> NewQueue {
    NewQueue {
        name: name.to_owned(),
        stream: "arn:aws:kinesis:us-east-1:000000000000:stream/s"
            .parse()
            .unwrap(),
        stream_created: START,
        horizon: START,
        start: Start::TrimHorizon,
        attributes: Attributes::default(),
        tags: Default::default(),
    }
}

pub fn attributes(visibility_s: u32, max_receives: Option<u32>) -> Attributes {
    Attributes {
        visibility_s,
        max_receives,
    }
}

pub fn records(kind: Kind) -> Receive {
    Receive {
        kind,
        limit: 10,
        visibility: None,
        wait: Duration::from_secs(9),
    }
}

pub fn text(received: &Received) -> String {
    String::from_utf8_lossy(&received.record.data).into_owned()
}
