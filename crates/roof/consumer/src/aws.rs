//! The calls over the wire client: AWS, Headwater, or any other Kinesis endpoint.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, future};
use headwater_client::{
    CallError, Client, ClientConfig, Retry,
    kinesis::{StreamRef, hash_range, list_shards},
};
use headwater_env::Env;
use headwater_shapes::{EventError, Timestamp};
use headwater_shapes_kinesis as kinesis;
use headwater_shapes_kinesis::{SubscribeToShardEvent, SubscribeToShardEventStream, ops};
use headwater_types::{HashRange, Millis};

use crate::{
    api::{Page, Position, Pushed, Shard, Source, Stored, Subscription},
    limits::PAGE_RECORDS_MAX,
};

/// A stream as a wire client reaches it.
#[derive(Clone)]
pub struct KinesisSource {
    pub(crate) retrying: Client,
    /// For reads, which the consumer itself tries again at its own pace.
    once: Client,
    /// For subscriptions, whose connections stay taken.
    pushing: Client,
    pub(crate) stream: StreamRef,
    pub(crate) env: Env,
}

impl KinesisSource {
    /// The stream of that name or ARN.
    pub fn new(config: ClientConfig, name_or_arn: &str, env: &Env) -> Self {
        let once = config.clone().with_retry(Retry::OFF);
        Self {
            retrying: Client::new(config, env.clone()),
            once: Client::new(once.clone(), env.clone()),
            pushing: Client::new(once, env.clone()),
            stream: StreamRef::new(name_or_arn),
            env: env.clone(),
        }
    }
}

#[async_trait]
impl Source for KinesisSource {
    async fn shards(&self) -> Result<Vec<Shard>, CallError> {
        let shards = list_shards(&self.retrying, &self.stream).await?;
        shards.into_iter().map(read_shard).collect()
    }

    async fn iterator(&self, shard_id: &str, from: &Position) -> Result<String, CallError> {
        let start = starting_position(from);
        let input = kinesis::GetShardIteratorInput {
            stream_name: self.stream.name.clone(),
            stream_arn: self.stream.arn.clone(),
            shard_id: shard_id.to_owned(),
            shard_iterator_type: start.r#type,
            starting_sequence_number: start.sequence_number,
            timestamp: start.timestamp,
            ..Default::default()
        };
        let output = self.once.call::<ops::GetShardIterator>(input).await?;
        output
            .shard_iterator
            .ok_or_else(|| CallError::unreadable("the answer has no iterator"))
    }

    async fn read(&self, iterator: &str) -> Result<Page, CallError> {
        let input = kinesis::GetRecordsInput {
            shard_iterator: iterator.to_owned(),
            stream_arn: self.stream.arn.clone(),
            limit: Some(PAGE_RECORDS_MAX),
            ..Default::default()
        };
        let output = self.once.call_direct::<ops::GetRecords>(input).await?;
        Ok(Page {
            records: output.records.into_iter().map(stored).collect(),
            next: output.next_shard_iterator,
            children: read_children(output.child_shards)?,
            at_tip: output.millis_behind_latest == Some(0),
        })
    }

    async fn subscribe(
        &self,
        consumer_arn: &str,
        shard_id: &str,
        from: &Position,
    ) -> Result<Subscription, CallError> {
        let input = kinesis::SubscribeToShardInput {
            consumer_arn: consumer_arn.to_owned(),
            stream_id: None,
            shard_id: shard_id.to_owned(),
            starting_position: starting_position(from),
            dry_run: None,
        };
        let output = self
            .pushing
            .call_direct::<ops::SubscribeToShard>(input)
            .await?;
        let events = output.event_stream.events.map_err(read_error);
        Ok(events
            .and_then(|event| future::ready(pushed(event.into_event())))
            .boxed())
    }
}

fn starting_position(from: &Position) -> kinesis::StartingPosition {
    let (kind, number, time) = match from {
        Position::TrimHorizon => ("TRIM_HORIZON", None, None),
        Position::Latest => ("LATEST", None, None),
        Position::At(number) => ("AT_SEQUENCE_NUMBER", Some(number), None),
        Position::After(number) => ("AFTER_SEQUENCE_NUMBER", Some(number), None),
        Position::AtTime(time) => ("AT_TIMESTAMP", None, Some(*time)),
    };
    kinesis::StartingPosition {
        r#type: kind.to_owned(),
        sequence_number: number.cloned(),
        timestamp: time.map(|time| Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX))),
    }
}

fn read_shard(shard: kinesis::Shard) -> Result<Shard, CallError> {
    Ok(Shard {
        range: hash_range(&shard.hash_key_range)?,
        id: shard.shard_id,
        parents: shard
            .parent_shard_id
            .into_iter()
            .chain(shard.adjacent_parent_shard_id)
            .collect(),
        open: shard.sequence_number_range.ending_sequence_number.is_none(),
    })
}

fn read_children(children: Option<Vec<kinesis::ChildShard>>) -> Result<Vec<Shard>, CallError> {
    let child = |child: kinesis::ChildShard| {
        let range: HashRange = hash_range(&child.hash_key_range)?;
        Ok(Shard {
            id: child.shard_id,
            parents: child.parent_shards,
            range,
            open: true,
        })
    };
    children
        .unwrap_or_default()
        .into_iter()
        .map(child)
        .collect()
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

fn pushed(event: SubscribeToShardEventStream) -> Result<Pushed, CallError> {
    let SubscribeToShardEventStream::SubscribeToShardEvent(SubscribeToShardEvent {
        records,
        continuation_sequence_number: continuation,
        child_shards,
        ..
    }) = event;
    let records = records.into_iter().map(stored).collect();
    Ok(Pushed {
        records,
        continuation,
        children: read_children(child_shards)?,
    })
}

/// An error within an answer whose status said that all is well.
fn read_error(error: EventError) -> CallError {
    CallError {
        status: None,
        ..CallError::answered(200, error.name, error.message)
    }
}
