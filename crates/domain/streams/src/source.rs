//! Streams as other domains read them.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_log::{
    ReadLimit, Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
use headwater_types::{Arn, Millis, ShardIndex, StreamName};

use crate::{Consumer, Error, ReadRecord, Shard, Start, Stream, Streams};

/// All streams, for those who read them through the log's port.
pub struct StreamSources(pub Arc<Streams>);

struct StreamSource {
    streams: Arc<Streams>,
    name: StreamName,
    number: u32,
    /// The registered consumer that it is read for, if it is for one.
    consumer: Option<Consumer>,
}

#[async_trait]
impl Sources for StreamSources {
    async fn open(&self, arn: &Arn) -> Result<Arc<dyn Source>, SourceError> {
        let missing = || SourceError::NotFound(arn.to_string());
        let resource = arn.name_of("stream").ok_or_else(missing)?;
        let (name, consumer) = match resource.split_once("/consumer/") {
            Some((name, consumer)) => (name, Some(consumer)),
            None => (resource, None),
        };
        let name: StreamName = name.parse().map_err(|_| missing())?;
        let stream = self.0.get(&name).map_err(to_source)?;
        // A registered consumer's source is its stream, as long as it is registered: `<name>:<created>`.
        let consumer = match consumer.map(|text| text.split_once(':').unwrap_or((text, ""))) {
            Some((name, created)) => {
                let consumer = stream.consumer(name).map_err(|_| missing())?;
                let is_same = consumer.created.seconds().to_string() == created;
                Some(consumer)
                    .filter(|_| is_same)
                    .ok_or_else(missing)?
                    .into()
            }
            None => None,
        };
        let number = stream.record.number;
        Ok(Arc::new(StreamSource {
            streams: self.0.clone(),
            name,
            number,
            consumer,
        }))
    }
}

impl StreamSource {
    /// The stream as it is now; one made later under the same name is another.
    fn stream(&self) -> Result<Arc<Stream>, SourceError> {
        let stream = self.streams.get(&self.name).map_err(to_source)?;
        let same = stream.record.number == self.number;
        same.then_some(stream)
            .ok_or_else(|| SourceError::NotFound(format!("the stream {}", self.name)))
    }

    fn shard(&self, id: &str) -> Result<(Arc<Stream>, Arc<Shard>), SourceError> {
        let stream = self.stream()?;
        let index: ShardIndex = id
            .parse()
            .map_err(|_| SourceError::NotFound(format!("the shard {id}")))?;
        let shard = stream.shard(index).map_err(to_source)?.clone();
        Ok((stream, shard))
    }
}

#[async_trait]
impl Source for StreamSource {
    fn identity(&self) -> String {
        self.number.to_string()
    }

    async fn shards(&self) -> Result<Vec<SourceShard>, SourceError> {
        let stream = self.stream()?;
        if let Some(consumer) = self.consumer.as_ref().filter(|it| !stream.knows(it)) {
            let gone = format!("the consumer {}", consumer.name);
            return Err(SourceError::NotFound(gone));
        }
        let mut shards = Vec::with_capacity(stream.shards().len());
        for shard in stream.shards() {
            let state = self.streams.state(&stream, shard).await;
            let state = state.map_err(to_source)?;
            let parents = [shard.record.parent, shard.record.adjacent_parent];
            shards.push(SourceShard {
                id: shard.record.index.to_string(),
                parents: parents
                    .into_iter()
                    .flatten()
                    .map(|parent| parent.to_string())
                    .collect(),
                first: state.first,
                end: state.end,
                // Not when it is sealed: its children are known a little later.
                ended: shard.record.closed.is_some(),
            });
        }
        Ok(shards)
    }

    async fn read(
        &self,
        shard: &str,
        from: u64,
        limit: SourceLimit,
    ) -> Result<SourceChunk, SourceError> {
        let (stream, shard) = self.shard(shard)?;
        let limit = ReadLimit {
            records: limit.records,
            bytes: limit.bytes,
        };
        let chunk = self
            .streams
            .read_unlimited(&stream, &shard, from, limit)
            .await
            .map_err(to_source)?;
        let record = |record: ReadRecord| SourceRecord {
            offset: record.offset,
            sequence_number: record.sequence,
            partition_key: record.partition_key,
            data: record.data,
            arrival: record.time,
        };
        Ok(SourceChunk {
            records: chunk.records.into_iter().map(record).collect(),
            next: chunk.next,
            end: chunk.state.end,
            ended: shard.record.closed.is_some(),
        })
    }

    async fn offset_at(&self, shard: &str, time: Millis) -> Result<u64, SourceError> {
        let (stream, shard) = self.shard(shard)?;
        self.streams
            .resolve(&stream, &shard, Start::Time(time))
            .await
            .map_err(to_source)
    }

    async fn wait(&self, shard: &str, from: u64) {
        if let Ok((_, shard)) = self.shard(shard) {
            self.streams.wait(&shard, from).await;
        }
    }
}

fn to_source(error: Error) -> SourceError {
    match error {
        Error::NoStream(_) | Error::NoShard { .. } => SourceError::NotFound(error.to_string()),
        other => SourceError::Failed(other.to_string()),
    }
}
