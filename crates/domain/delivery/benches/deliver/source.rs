//! A stream of one shard, in memory, whose records are there or not.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_types::{Arn, Millis};
use tokio::sync::watch;

const SHARD: &str = "shardId-000000000000";

#[derive(Clone)]
pub struct MemoryStream {
    records: Arc<[SourceRecord]>,
    /// One past the newest record that is there.
    end: watch::Sender<u64>,
}

impl MemoryStream {
    /// A stream of records that are not there yet.
    pub fn of(records: impl Iterator<Item = SourceRecord>) -> Self {
        Self {
            records: records.collect(),
            end: watch::Sender::new(0),
        }
    }

    /// Takes all records back.
    pub fn clear(&self) {
        self.end.send_replace(0);
    }

    /// Has all records there at once.
    pub fn fill(&self) {
        self.end.send_replace(self.records.len() as u64);
    }
}

#[async_trait]
impl Source for MemoryStream {
    fn identity(&self) -> String {
        String::new()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let (id, end) = (SHARD.to_owned(), *self.end.borrow());
        Ok(vec![SourceShard {
            id,
            parents: Vec::new(),
            first: 0,
            end,
            ended: false,
        }])
    }

    async fn read(
        &self,
        _shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let (end, mut bytes) = (*self.end.borrow(), 0);
        let fits = |record: &&SourceRecord| {
            let fits = bytes == 0 || bytes + record.data.len() <= limit.bytes;
            bytes += record.data.len();
            fits
        };
        let there = &self.records[from as usize..end as usize];
        let records: Vec<_> = there
            .iter()
            .take(limit.records)
            .take_while(fits)
            .cloned()
            .collect();
        Ok(SourceChunk {
            next: from + records.len() as u64,
            records,
            end,
            ended: false,
        })
    }

    async fn offset_at(&self, _shard: &str, _time: Millis) -> Result<u64, SourceError> {
        Err(SourceError::Failed("deliveries read by offset".into()))
    }

    async fn wait(&self, _shard: &str, from: u64) {
        // The sender lives as long as this stream.
        _ = self.end.subscribe().wait_for(|end| *end > from).await;
    }
}

/// Finds it under every name.
#[async_trait]
impl Sources for MemoryStream {
    async fn open(&self, _arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        Ok(Arc::new(self.clone()))
    }
}
