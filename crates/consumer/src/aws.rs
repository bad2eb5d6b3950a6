//! The three calls over the wire client: AWS, Headwater, or any other Kinesis endpoint.

use async_trait::async_trait;
use headwater_env::Env;
use headwater_shapes::{
    Timestamp,
    kinesis::{self, ops},
};
use headwater_types::{HashKey, HashRange, Millis};
use headwater_wire::client::{CallError, Client, ClientConfig, Retry};

use crate::{
    api::{Page, Position, Shard, Source, Stored},
    limits::PAGE_RECORDS_MAX,
};

/// A stream as a wire client reaches it.
#[derive(Clone)]
pub struct KinesisSource {
    patient: Client,
    /// For reads, which the consumer itself tries again at its own pace.
    once: Client,
    name: Option<String>,
    arn: Option<String>,
}

impl KinesisSource {
    /// The stream of that name or ARN.
    pub fn new(config: ClientConfig, name_or_arn: &str, env: &Env) -> Self {
        let patient = Client::new(config.clone(), env.clone());
        let once = Client::new(config.with_retry(Retry::OFF), env.clone());
        let arn = name_or_arn.starts_with("arn:").then(|| name_or_arn.to_owned());
        let name = arn.is_none().then(|| name_or_arn.to_owned());
        Self { patient, once, name, arn }
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
impl Source for KinesisSource {
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
        let (kind, number, time) = match from {
            Position::TrimHorizon => ("TRIM_HORIZON", None, None),
            Position::Latest => ("LATEST", None, None),
            Position::At(number) => ("AT_SEQUENCE_NUMBER", Some(number.clone()), None),
            Position::AtTime(time) => ("AT_TIMESTAMP", None, Some(timestamp(*time))),
        };
        let input = kinesis::GetShardIteratorInput {
            stream_name: self.name.clone(),
            stream_arn: self.arn.clone(),
            shard_id: shard_id.to_owned(),
            shard_iterator_type: kind.to_owned(),
            starting_sequence_number: number,
            timestamp: time,
            ..Default::default()
        };
        let output = self.once.call::<ops::GetShardIterator>(input).await?;
        output.shard_iterator.ok_or_else(|| unreadable("the answer has no iterator"))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        let input = kinesis::GetRecordsInput {
            shard_iterator: iterator.to_owned(),
            stream_arn: self.arn.clone(),
            limit: Some(PAGE_RECORDS_MAX),
            ..Default::default()
        };
        let output = self.once.call::<ops::GetRecords>(input).await?;
        Ok(Page {
            records: output.records.into_iter().map(stored).collect(),
            next: output.next_shard_iterator,
            at_tip: output.millis_behind_latest == Some(0),
        })
    }
}

fn timestamp(time: Millis) -> Timestamp {
    Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX))
}

fn read_shard(shard: kinesis::Shard) -> Result<Shard, CallError> {
    let hash_key = |text: &str| text.parse::<HashKey>().map_err(|e| unreadable(&e.to_string()));
    let range = HashRange {
        start: hash_key(&shard.hash_key_range.starting_hash_key)?,
        end: hash_key(&shard.hash_key_range.ending_hash_key)?,
    };
    Ok(Shard {
        id: shard.shard_id,
        parents: shard.parent_shard_id.into_iter().chain(shard.adjacent_parent_shard_id).collect(),
        range,
        open: shard.sequence_number_range.ending_sequence_number.is_none(),
    })
}

fn stored(record: kinesis::Record) -> Stored {
    let arrival = record.approximate_arrival_timestamp;
    Stored {
        arrival: arrival.map(|time| Millis(u64::try_from(time.0).unwrap_or(0))),
        sequence_number: record.sequence_number,
        partition_key: record.partition_key.unwrap_or_default(),
        data: record.data.0,
    }
}

/// An answer that does not say what it must.
fn unreadable(message: &str) -> CallError {
    CallError {
        code: CallError::RESPONSE.to_owned(),
        status: None,
        message: message.to_owned(),
        retryable: false,
        unclear: true,
    }
}
