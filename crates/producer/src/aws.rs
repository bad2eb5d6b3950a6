//! The four calls over the wire client: AWS, Headwater, or any other Kinesis endpoint.

use async_trait::async_trait;
use headwater_env::Env;
use headwater_shapes::{
    Blob, Timestamp,
    kinesis::{self, ops},
};
use headwater_types::{HashKey, HashRange};
use headwater_wire::client::{CallError, Client, ClientConfig, Retry};

use crate::{Entry, Page, Placed, Position, Refused, Shard, Stored, Stream};

/// A stream as a wire client reaches it.
#[derive(Clone)]
pub struct KinesisStream {
    once: Client,
    patient: Client,
    name: Option<String>,
    arn: Option<String>,
}

impl KinesisStream {
    /// The stream of that name or ARN.
    pub fn new(config: ClientConfig, name_or_arn: &str, env: &Env) -> Self {
        let patient = Client::new(config.clone(), env.clone());
        // A put is tried again by the producer, which knows what may have come of it.
        let once = Client::new(config.with_retry(Retry::OFF), env.clone());
        let arn = name_or_arn.starts_with("arn:").then(|| name_or_arn.to_owned());
        let name = arn.is_none().then(|| name_or_arn.to_owned());
        Self { once, patient, name, arn }
    }

    async fn shard_page(&self, token: Option<String>) -> Result<kinesis::ListShardsOutput, CallError> {
        let input = match token {
            // With a token, nothing else may be named.
            Some(_) => kinesis::ListShardsInput { next_token: token, ..Default::default() },
            None => kinesis::ListShardsInput {
                stream_name: self.name.clone(),
                stream_arn: self.arn.clone(),
                ..Default::default()
            },
        };
        self.patient.call::<ops::ListShards>(input).await
    }
}

#[async_trait]
impl Stream for KinesisStream {
    async fn put(&self, entries: &[Entry]) -> Result<Vec<Result<Placed, Refused>>, CallError> {
        let input = kinesis::PutRecordsInput {
            stream_name: self.name.clone(),
            stream_arn: self.arn.clone(),
            records: entries.iter().map(request_entry).collect(),
            ..Default::default()
        };
        let output = self.once.call::<ops::PutRecords>(input).await?;
        Ok(output.records.into_iter().map(outcome).collect())
    }

    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        let mut shards = Vec::new();
        let mut token = None;
        loop {
            let page = self.shard_page(token).await?;
            for shard in page.shards.unwrap_or_default() {
                shards.push(read_shard(shard)?);
            }
            token = page.next_token;
            if token.is_none() {
                return Ok(shards);
            }
        }
    }

    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError> {
        let mut input = kinesis::GetShardIteratorInput {
            stream_name: self.name.clone(),
            stream_arn: self.arn.clone(),
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
        let output = self.patient.call::<ops::GetShardIterator>(input).await?;
        output.shard_iterator.ok_or_else(|| unreadable("the answer has no iterator"))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        let input = kinesis::GetRecordsInput { shard_iterator: iterator.to_owned(), ..Default::default() };
        let output = self.patient.call::<ops::GetRecords>(input).await?;
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
        (Some(shard_id), Some(sequence_number)) => Ok(Placed { shard_id, sequence_number }),
        _ => Err(Refused {
            code: entry.error_code.unwrap_or_default(),
            message: entry.error_message.unwrap_or_default(),
        }),
    }
}

fn read_shard(shard: kinesis::Shard) -> Result<Shard, CallError> {
    let hash_key = |text: &str| text.parse::<HashKey>().map_err(|e| unreadable(&e.to_string()));
    let range = HashRange {
        start: hash_key(&shard.hash_key_range.starting_hash_key)?,
        end: hash_key(&shard.hash_key_range.ending_hash_key)?,
    };
    let open = shard.sequence_number_range.ending_sequence_number.is_none();
    Ok(Shard { id: shard.shard_id, range, open })
}

fn stored(record: kinesis::Record) -> Stored {
    Stored {
        arrival: record.approximate_arrival_timestamp.map(|time| time.0),
        sequence_number: record.sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        data: record.data.0,
    }
}

/// An answer that does not say what it must.
pub(crate) fn unreadable(message: &str) -> CallError {
    CallError {
        code: CallError::RESPONSE.to_owned(),
        status: None,
        message: message.to_owned(),
        retryable: false,
        unclear: true,
    }
}
