//! The four calls over the wire client: AWS, Headwater, or any other Kinesis endpoint.

use async_trait::async_trait;
use headwater_client::{
    CallError, Client, ClientConfig, Retry,
    kinesis::{StreamRef, hash_range, list_shards},
};
use headwater_env::Env;
use headwater_shapes::{Blob, Timestamp};
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::ops;
use headwater_types::HashKey;

use crate::{Entry, Page, Placed, Position, Refused, Shard, Stored, Stream};

/// A stream as a wire client reaches it.
#[derive(Clone)]
pub struct KinesisStream {
    once: Client,
    retrying: Client,
    stream: StreamRef,
}

impl KinesisStream {
    /// The stream of that name or ARN.
    pub fn new(config: ClientConfig, name_or_arn: &str, env: &Env) -> Self {
        let retrying = Client::new(config.clone(), env.clone());
        // A put is tried again by the producer, which knows what may have come of it.
        let once = Client::new(config.with_retry(Retry::OFF), env.clone());
        Self {
            once,
            retrying,
            stream: StreamRef::new(name_or_arn),
        }
    }
}

#[async_trait]
impl Stream for KinesisStream {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError> {
        let input = kinesis::PutRecordsInput {
            stream_name: self.stream.name.clone(),
            stream_arn: self.stream.arn.clone(),
            records: entries.iter().map(request_entry).collect(),
            ..Default::default()
        };
        let output = self.once.call_direct::<ops::PutRecords>(input).await?;
        Ok(output.records.into_iter().map(outcome).collect())
    }

    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        let shards = list_shards(&self.retrying, &self.stream).await?;
        shards.into_iter().map(read_shard).collect()
    }

    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError> {
        let mut input = kinesis::GetShardIteratorInput {
            stream_name: self.stream.name.clone(),
            stream_arn: self.stream.arn.clone(),
            shard_id: shard_id.to_owned(),
            ..Default::default()
        };
        match from {
            Position::Start => input.shard_iterator_type = "TRIM_HORIZON".to_owned(),
            Position::After(number) => {
                input.shard_iterator_type = "AFTER_SEQUENCE_NUMBER".to_owned();
                input.starting_sequence_number = Some(number.clone());
            }
            Position::At(time) => {
                input.shard_iterator_type = "AT_TIMESTAMP".to_owned();
                input.timestamp = Some(Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX)));
            }
        }
        let output = self.retrying.call::<ops::GetShardIterator>(input).await?;
        output
            .shard_iterator
            .ok_or_else(|| CallError::unreadable("the answer has no iterator"))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        let input = kinesis::GetRecordsInput {
            shard_iterator: iterator.to_owned(),
            ..Default::default()
        };
        let output = self.retrying.call_direct::<ops::GetRecords>(input).await?;
        Ok(Page {
            records: output.records.into_iter().map(stored).collect(),
            next: output.next_shard_iterator,
            at_tip: output.millis_behind_latest == Some(0),
        })
    }
}

fn request_entry(entry: &Entry) -> kinesis::PutRecordsRequestEntry {
    kinesis::PutRecordsRequestEntry {
        data: Blob(entry.data.clone()),
        explicit_hash_key: entry.explicit_hash_key.as_ref().map(HashKey::to_string),
        partition_key: Some(entry.partition_key.clone()),
    }
}

fn outcome(entry: kinesis::PutRecordsResultEntry) -> Result<Placed, Refused> {
    match (entry.shard_id, entry.sequence_number) {
        (Some(shard_id), Some(sequence_number)) => Ok(Placed {
            shard_id,
            sequence_number,
        }),
        _ => Err(Refused {
            code: entry.error_code.unwrap_or_default(),
            message: entry.error_message.unwrap_or_default(),
        }),
    }
}

fn read_shard(shard: kinesis::Shard) -> Result<Shard, CallError> {
    let open = shard.sequence_number_range.ending_sequence_number.is_none();
    Ok(Shard {
        range: hash_range(&shard.hash_key_range)?,
        id: shard.shard_id,
        open,
    })
}

fn stored(record: kinesis::Record) -> Stored {
    Stored {
        arrival: record.approximate_arrival_timestamp.map(|time| time.0),
        sequence_number: record.sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        data: record.data.0,
    }
}
