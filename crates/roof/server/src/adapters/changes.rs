//! Mappings read streams: those of data as they are, and those of tables as functions get their changes.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_dynamodb::streams::{function_record, sequence_number, table_and_label};
use headwater_env::Env;
use headwater_log::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_tables::{Event, TableStream, Tables};
use headwater_types::{Arn, Millis};

/// The streams of this server.
pub struct MappedStreams {
    /// Runs what takes a while.
    pub env: Env,
    /// The streams of data.
    pub streams: Arc<dyn Sources>,
    /// The tables.
    pub tables: Arc<Tables>,
}

/// A table's stream, whose records are those of a function's event.
struct Changes {
    env: Env,
    arn: Arn,
    stream: TableStream,
}

#[async_trait]
impl Sources for MappedStreams {
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        if arn.service != "dynamodb" {
            return self.streams.open(arn).await;
        }
        let gone = || SourceError::NotFound(format!("the stream {arn}"));
        let (table, label) = table_and_label(&arn.resource).ok_or_else(gone)?;
        let stream = self.tables.stream(table, label).map_err(|_| gone())?;
        Ok(Arc::new(Changes {
            env: self.env.clone(),
            arn: arn.clone(),
            stream,
        }))
    }
}

#[async_trait]
impl Source for Changes {
    fn identity(&self) -> String {
        self.stream.identity()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        Source::shards(&self.stream).await
    }

    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let chunk = Source::read(&self.stream, shard, from, limit).await?;
        if chunk.records.is_empty() {
            return Ok(chunk);
        }
        let arn = self.arn.clone();
        let told = move || told(chunk, &arn, limit.bytes);
        self.env.blocking(told).await
    }

    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError> {
        Source::offset_at(&self.stream, shard, time).await
    }

    async fn wait(&self, shard: &str, from: u64) {
        Source::wait(&self.stream, shard, from).await;
    }

    fn number(&self, record: &SourceRecord) -> String {
        sequence_number(offset_of(record))
    }
}

/// The chunk with its changes as functions get them: up to so many bytes of them, one at least.
fn told(chunk: SourceChunk, stream: &Arn, bytes: usize) -> Result<SourceChunk, SourceError> {
    let mut left = bytes;
    let mut records = Vec::with_capacity(chunk.records.len());
    for record in chunk.records {
        let event = Event::decode(offset_of(&record), record.arrival, record.data);
        let event = event.ok_or_else(|| SourceError::Failed("a change is not one".to_owned()))?;
        let data = function_record(event, stream);
        if data.len() > left && !records.is_empty() {
            let next = record.offset;
            return Ok(SourceChunk {
                records,
                next,
                ..chunk
            });
        }
        left = left.saturating_sub(data.len());
        records.push(SourceRecord { data, ..record });
    }
    Ok(SourceChunk { records, ..chunk })
}

/// The place of a change in the log of its table's partition.
fn offset_of(record: &SourceRecord) -> u64 {
    record.sequence_number.offset().unwrap_or(record.offset)
}

#[cfg(test)]
mod tests {
    use headwater_tables::{EventKind, ViewType};
    use headwater_types::{SequenceNumber, ShardIndex};

    use super::*;

    /// A change of a shard that begins with the seventh of its partition.
    fn change(offset: u64) -> SourceRecord {
        let (place, time) = (offset + 7, Millis(1_700_000_000_000));
        let event = Event {
            id: place.into(),
            offset: place,
            time,
            kind: EventKind::Removed,
            expired: false,
            view: ViewType::Keys,
            key: Default::default(),
            before: None,
            after: None,
        };
        SourceRecord {
            offset,
            sequence_number: SequenceNumber::of_record(time, ShardIndex(1), place, time),
            partition_key: "k".into(),
            data: event.encode(),
            arrival: time,
        }
    }

    fn told_within(bytes: usize) -> SourceChunk {
        let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s";
        let chunk = SourceChunk {
            records: (0..3).map(change).collect(),
            next: 3,
            end: 5,
            ended: false,
        };
        told(chunk, &stream.parse().unwrap(), bytes).unwrap()
    }

    #[test]
    fn changes_are_told_with_the_numbers_that_readers_know() {
        let chunk = told_within(usize::MAX);
        assert_eq!((chunk.records.len(), chunk.next), (3, 3));
        for record in &chunk.records {
            let told: serde_json::Value = serde_json::from_slice(&record.data).unwrap();
            let number = sequence_number(record.offset + 7);
            assert_eq!(told["dynamodb"]["SequenceNumber"], number);
            assert_eq!(sequence_number(offset_of(record)), number);
        }
    }

    #[test]
    fn a_chunk_ends_where_its_bytes_do() {
        let length = told_within(usize::MAX).records[0].data.len();
        for (bytes, records) in [
            (0, 1),
            (2 * length - 1, 1),
            (2 * length, 2),
            (3 * length, 3),
        ] {
            let chunk = told_within(bytes);
            assert_eq!((chunk.records.len(), chunk.next), (records, records as u64));
            assert_eq!((chunk.end, chunk.ended), (5, false));
        }
    }

    #[test]
    fn what_is_no_change_is_a_fault() {
        let broken = SourceRecord {
            data: "x".into(),
            ..change(0)
        };
        let chunk = SourceChunk {
            records: vec![broken],
            next: 1,
            end: 1,
            ended: false,
        };
        let stream = "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/s";
        let told = told(chunk, &stream.parse().unwrap(), 1);
        assert!(matches!(told, Err(SourceError::Failed(_))), "{told:?}");
    }
}
