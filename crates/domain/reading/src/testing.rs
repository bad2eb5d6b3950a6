//! A stream in memory.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use headwater_log::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_types::{Arn, Millis, SequenceNumber, ShardIndex};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// A stream whose shards a test fills, ends, splits, trims and drops.
#[derive(Default)]
pub struct FakeSource {
    shards: Mutex<Vec<Shard>>,
    changed: Notify,
    identity: Mutex<String>,
}

struct Shard {
    id: String,
    parents: Vec<String>,
    records: Vec<SourceRecord>,
    first: u64,
    ended: bool,
    dropped: bool,
}

impl Shard {
    /// Where a reader from `from` on starts.
    fn start(&self, from: u64) -> u64 {
        from.max(self.first)
    }
}

impl FakeSource {
    /// A stream with as many open shards.
    pub fn new(shards: usize) -> Arc<Self> {
        let source = Self::default();
        for _ in 0..shards {
            source.add_shard(&[]);
        }
        Arc::new(source)
    }

    /// Opens a shard, perhaps with parents, which are ended.
    pub fn add_shard(&self, parents: &[&str]) {
        let mut shards = self.shards.lock();
        for shard in shards
            .iter_mut()
            .filter(|shard| parents.contains(&shard.id.as_str()))
        {
            shard.ended = true;
        }
        let id = shards.len().to_string();
        let parents = parents.iter().map(|&parent| parent.to_owned()).collect();
        shards.push(Shard {
            id,
            parents,
            records: Vec::new(),
            first: 0,
            ended: false,
            dropped: false,
        });
        drop(shards);
        self.changed.notify_waiters();
    }

    /// Appends a record with a key of its own.
    pub fn put(&self, shard: usize, data: impl Into<Bytes>, arrival: Millis) {
        let offset = self.shards.lock()[shard].records.len();
        self.put_keyed(shard, &format!("key-{offset}"), data, arrival);
    }

    /// Appends a record.
    pub fn put_keyed(&self, shard: usize, key: &str, data: impl Into<Bytes>, arrival: Millis) {
        let mut shards = self.shards.lock();
        let offset = shards[shard].records.len() as u64;
        shards[shard].records.push(SourceRecord {
            offset,
            sequence_number: number(shard as u32, offset),
            partition_key: key.to_owned().into(),
            data: data.into(),
            arrival,
        });
        drop(shards);
        self.changed.notify_waiters();
    }

    /// Forgets the records of a shard before `first`.
    pub fn trim(&self, shard: usize, first: u64) {
        self.shards.lock()[shard].first = first;
    }

    /// Lets records expire: the oldest that each open shard still has, and each ended shard whole.
    pub fn expire(&self) {
        for shard in self.shards.lock().iter_mut() {
            if shard.ended {
                shard.dropped = true;
            } else {
                shard.first = (shard.first + 1).min(shard.records.len() as u64);
            }
        }
        self.changed.notify_waiters();
    }

    /// Forgets a shard that has ended, as a stream does once its last record has expired.
    pub fn drop_shard(&self, shard: usize) {
        let mut shards = self.shards.lock();
        assert!(shards[shard].ended, "an open shard never goes");
        shards[shard].dropped = true;
        drop(shards);
        self.changed.notify_waiters();
    }

    /// The data of all records that can still be read.
    pub fn readable(&self) -> Vec<Bytes> {
        let shards = self.shards.lock();
        let kept = shards.iter().filter(|shard| !shard.dropped);
        kept.flat_map(|shard| &shard.records[shard.first as usize..])
            .map(|record| record.data.clone())
            .collect()
    }

    /// Becomes another stream of the same name.
    pub fn become_another(&self) {
        self.identity.lock().push('x');
    }
}

fn find<'a>(shards: &'a [Shard], id: &str) -> Result<&'a Shard, SourceError> {
    let found = shards.iter().find(|shard| shard.id == id && !shard.dropped);
    found.ok_or_else(|| SourceError::NotFound(id.to_owned()))
}

#[async_trait]
impl Source for FakeSource {
    fn identity(&self) -> String {
        self.identity.lock().clone()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let list = |shard: &Shard| SourceShard {
            id: shard.id.clone(),
            parents: shard.parents.clone(),
            first: shard.first,
            end: shard.records.len() as u64,
            ended: shard.ended,
        };
        // Youngest first, so that nothing relies on the order.
        let shards = self.shards.lock();
        let kept = shards.iter().rev().filter(|shard| !shard.dropped);
        Ok(kept.map(list).collect())
    }

    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let shards = self.shards.lock();
        let found = find(&shards, shard)?;
        let (start, mut bytes) = (found.start(from), 0);
        let fits = |record: &&SourceRecord| {
            let fits = bytes == 0 || bytes + record.data.len() <= limit.bytes;
            bytes += record.data.len().max(1);
            fits
        };
        let rest = found.records.iter().skip(start as usize);
        let records: Vec<_> = rest.take(limit.records).take_while(fits).cloned().collect();
        let next = records
            .last()
            .map_or(start.min(found.records.len() as u64), |record| {
                record.offset + 1
            });
        Ok(SourceChunk {
            records,
            next,
            end: found.records.len() as u64,
            ended: found.ended,
        })
    }

    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError> {
        let shards = self.shards.lock();
        let found = find(&shards, shard)?;
        Ok(found.first.max(
            found
                .records
                .partition_point(|record| record.arrival < time) as u64,
        ))
    }

    async fn wait(&self, shard: &str, from: u64) {
        loop {
            let changed = self.changed.notified();
            let is_over = |found: &Shard| found.ended || found.records.len() as u64 > from;
            if find(&self.shards.lock(), shard).map_or(true, is_over) {
                return;
            }
            changed.await;
        }
    }
}

/// The number of a record.
pub fn number(shard: u32, offset: u64) -> SequenceNumber {
    let time = Millis(1_500_000_000_000);
    SequenceNumber::of_record(time, ShardIndex(shard), offset, time)
}

/// Finds the one stream under every name but `missing`.
pub struct FakeSources(pub Arc<FakeSource>);

#[async_trait]
impl Sources for FakeSources {
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        let name = arn.name_of("stream").or_else(|| arn.name_of("table"));
        match name.and_then(|name| name.split('/').next()) {
            Some("missing") | None => Err(SourceError::NotFound("missing".into())),
            Some(_) => Ok(self.0.clone()),
        }
    }
}
