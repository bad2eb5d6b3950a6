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
