//! A table's stream as other domains read it. A record's data is [`Event::encode`]'s, its key a text that events of the
//! same item have in common. Its offset counts from the begin of its shard, as those of all sources do; its sequence number
//! has the offset of its change.

use async_trait::async_trait;
use headwater_log::{
    ReadLimit, Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard,
};
use headwater_types::{Millis, SequenceNumber, ShardIndex};

use super::{KeyedEvent, ShardId, TableStream};
use crate::Error;

#[async_trait]
impl Source for TableStream {
    fn identity(&self) -> String {
        format!("{}/{}", self.table.number, self.label.0)
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let shards = self.described().map_err(failed)?.shards(self.now());
        let mut found = Vec::with_capacity(shards.len());
        for shard in &shards {
            let extent = match self.extent(shard.id).await {
                Ok(extent) => extent,
                // It expired since the others were looked at.
                Err(Error::NoShard(_)) => continue,
                Err(error) => return Err(failed(error)),
            };
            // A parent that is gone holds nobody up.
            let parent = shard
                .parent
                .filter(|id| shards.iter().any(|other| other.id == *id));
            found.push(SourceShard {
                id: shard.id.to_string(),
                parents: parent.iter().map(ShardId::to_string).collect(),
                first: within(shard.id, extent.first),
                end: within(shard.id, extent.end),
                ended: extent.ended,
            });
        }
        Ok(found)
    }

    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let id = parse(shard)?;
        let limit = ReadLimit {
            records: limit.records,
            bytes: limit.bytes,
        };
        let from = from.saturating_add(id.begin);
        let read = self.read_keyed(id, from, limit).await;
        let (events, next, extent) = read.map_err(failed)?;
        let record = |(item, event): KeyedEvent| SourceRecord {
            offset: within(id, event.offset),
            sequence_number: SequenceNumber::of_record(
                id.begun,
                ShardIndex(id.partition.into()),
                event.offset,
                event.time,
            ),
            partition_key: item.into(),
            data: event.encode(),
            arrival: event.time,
        };
        Ok(SourceChunk {
            records: events.into_iter().map(record).collect(),
            next: within(id, next),
            end: within(id, extent.end),
            ended: extent.ended,
        })
    }

    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError> {
        let id = parse(shard)?;
        let found = Self::offset_at(self, id, time).await;
        found.map(|offset| within(id, offset)).map_err(failed)
    }

    async fn wait(&self, shard: &str, from: u64) {
        if let Ok(id) = parse(shard) {
            Self::wait(self, id, from.saturating_add(id.begin)).await;
        }
    }
}

/// An offset of the change log as one of its shard.
fn within(shard: ShardId, offset: u64) -> u64 {
    offset.saturating_sub(shard.begin)
}

fn parse(shard: &str) -> Result<ShardId, SourceError> {
    let none = |_| SourceError::NotFound(format!("the shard {shard}"));
    shard.parse().map_err(none)
}

fn failed(error: Error) -> SourceError {
    match error {
        Error::NoTable(table) | Error::NoStream(table) => {
            SourceError::NotFound(format!("the stream of table {table}"))
        }
        Error::NoShard(id) => SourceError::NotFound(format!("the shard {id}")),
        other => SourceError::Failed(other.to_string()),
    }
}
