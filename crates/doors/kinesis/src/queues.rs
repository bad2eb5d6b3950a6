//! Queues as AWS spells them: their ARNs and descriptions, receipt handles, errors.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use headwater_catalog::{CatalogError, Checked};
use headwater_log::SourceError;
use headwater_queues::{
    Action, Attributes, Error, Kind, QueueQuota, QueueRecord, Queues, Receipt, ReceiptError,
    Receive, Received, Start,
};
use headwater_shapes::{Blob, ErrorShape};
use headwater_shapes_kinesis as shapes;
use headwater_shapes_kinesis::{
    DeadLetterConfiguration, QueueAttributes, QueueDescription, QueueStartingPosition,
    QueueStreamConfiguration, errors as codes,
};
use headwater_streams::{CONSUMERS, OtherReaders, Stream, StreamRecord, Streams, TokenKind};
use headwater_types::{Arn, StreamName};
use headwater_wire::{ApiError, Context};
use serde::{Deserialize, Serialize};

use crate::{
    Kinesis, describe,
    errors::{self, in_use, invalid_argument, not_found},
};

/// Consumers of an on-demand stream, queues among them, while there is a commitment to a minimum throughput
/// (on-demand Advantage).
const ADVANTAGE_CONSUMERS: usize = 50;

/// Consumers of a stream where AWS's limits are off, queues among them.
const UNLIMITED_CONSUMERS: usize = 1_000;

/// Records in one answer, unless fewer are asked for.
const RECORDS: usize = 10;

/// How long a receive waits, unless it says otherwise.
const WAIT: Duration = Duration::from_secs(9);

/// Target types of a dead letter configuration: AWS keeps the dead letters, or there are none.
const BUILT_IN: &str = "BUILT_IN";
const NONE: &str = "NONE";

/// A receipt as its holder sees it. It is good for as long as the record is in the queue.
#[derive(Serialize, Deserialize)]
struct ReceiptToken(Receipt);

impl TokenKind for ReceiptToken {
    const TAG: u8 = 100;
    const LIFE: Duration = Duration::MAX;
}

/// The queues of streams, which share the bound of their consumers and need their mode.
struct QueuesOfStreams {
    queues: Arc<Queues>,
    context: Context,
}

#[async_trait]
impl OtherReaders for QueuesOfStreams {
    async fn count(&self, stream: &StreamName) -> Result<Checked<usize>, CatalogError> {
        self.queues.count(&stream_arn(stream, &self.context)).await
    }
}

/// How many queues a stream may have: as many as its consumers leave of `most`, in on-demand mode.
pub(crate) struct PlacesOfStream {
    pub streams: Arc<Streams>,
    pub stream: StreamName,
    pub most: usize,
}

#[async_trait]
impl QueueQuota for PlacesOfStream {
    async fn of(&self, _: &Arn) -> Result<Checked<usize>, SourceError> {
        let Checked { value, checks } = checked(&self.streams, &self.stream).await?;
        let most = if value.mode.is_on_demand() {
            self.most
        } else {
            0
        };
        let places = most.saturating_sub(value.consumers.len());
        Ok(Checked::new(places, checks))
    }
}

/// A stream as its readers' domains depend on it.
pub(crate) async fn checked(
    streams: &Streams,
    stream: &StreamName,
) -> Result<Checked<StreamRecord>, SourceError> {
    let checked = streams.checked(stream).await;
    checked.map_err(|error| match error {
        headwater_streams::Error::NoStream(name) => SourceError::NotFound(name.to_string()),
        error => SourceError::Failed(error.to_string()),
    })
}

/// An entry that was left as it was, and why.
pub(crate) struct Failed {
    pub receipt_handle: String,
    pub error_code: String,
    pub error_message: Option<String>,
}

impl Kinesis {
    /// The queue that an ARN names.
    pub(crate) fn queue(
        &self,
        queue_arn: &str,
        context: &Context,
    ) -> Result<QueueRecord, ApiError> {
        self.queues
            .get(&self.permitted_queue(queue_arn, context)?)
            .map_err(|error| api(error, context))
    }

    /// The id of the queue that an ARN names, where its policy lets the caller do what they call.
    fn permitted_queue(&self, queue_arn: &str, context: &Context) -> Result<String, ApiError> {
        let id = queue_id(queue_arn, context)?;
        let policy = self.queues.policy(&id);
        self.permit(
            policy.as_ref().ok().and_then(Option::as_deref),
            || arn(&id, context),
            context,
        )?;
        policy.map(|_| id).map_err(|error| api(error, context))
    }

    /// How many queues a stream has.
    pub(crate) fn queues_of(&self, stream: &StreamName, context: &Context) -> usize {
        self.queues.count_of(&stream_arn(stream, context))
    }

    /// The queues of streams, as the streams' domain counts them.
    pub(crate) fn other_readers(&self, context: &Context) -> Arc<dyn OtherReaders> {
        Arc::new(QueuesOfStreams {
            queues: self.queues.clone(),
            context: context.clone(),
        })
    }

    /// How many registered consumers and queues a stream may have together.
    pub(crate) async fn most_consumers(
        &self,
        stream: &Stream,
        context: &Context,
    ) -> Result<usize, ApiError> {
        if !self.channels.limits {
            return Ok(UNLIMITED_CONSUMERS);
        }
        let commitment = self
            .streams
            .commitment()
            .await
            .map_err(|error| errors::api(error, context))?;
        let is_advantage =
            stream.record.mode.is_on_demand() && commitment.is_on(self.streams.now());
        Ok(if is_advantage {
            ADVANTAGE_CONSUMERS
        } else {
            CONSUMERS
        })
    }

    /// Receives records as an answer has them.
    pub(crate) async fn receive(
        &self,
        queue_arn: &str,
        receive: Receive,
        context: &Context,
    ) -> Result<Vec<shapes::QueueRecord>, ApiError> {
        let id = self.permitted_queue(queue_arn, context)?;
        let received = self
            .queues
            .receive(&id, receive)
            .await
            .map_err(|error| api(error, context))?;
        // A receive that found nothing waited without holding room that answers need.
        if !received.is_empty() {
            context.room_for_answer().await;
        }
        Ok(received
            .into_iter()
            .map(|received| self.queue_record(received))
            .collect())
    }

    fn queue_record(&self, received: Received) -> shapes::QueueRecord {
        let Received {
            receipt,
            record,
            first,
            receives,
        } = received;
        shapes::QueueRecord {
            receipt_handle: self.streams.token_of(&ReceiptToken(receipt)),
            // Digits, the same at every receive, and no other record of the stream has them.
            record_id: record.sequence_number.to_string(),
            partition_key: (!record.partition_key.is_empty())
                .then(|| String::from_utf8_lossy(&record.partition_key).into_owned()),
            data: Blob(record.data),
            approximate_arrival_timestamp: describe::timestamp(record.arrival),
            first_receive_timestamp: describe::timestamp(first),
            receive_count: i32::try_from(receives).unwrap_or(i32::MAX),
        }
    }

    /// Does with received records what their receivers want: the handles for which that was done, and the others.
    pub(crate) async fn settle(
        &self,
        queue_arn: &str,
        kind: Kind,
        entries: impl Iterator<Item = (Action, String)>,
        context: &Context,
    ) -> Result<(Vec<String>, Vec<Failed>), ApiError> {
        let id = self.permitted_queue(queue_arn, context)?;
        let (mut handles, mut settlements, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (action, handle) in entries {
            match self.streams.open_token::<ReceiptToken>(&handle) {
                Ok(ReceiptToken(receipt)) => {
                    settlements.push((receipt, action));
                    handles.push(handle);
                }
                Err(_) => failed.push(failure(handle, ReceiptError::Foreign)),
            }
        }
        let settled = self
            .queues
            .settle(&id, kind, settlements)
            .await
            .map_err(|error| api(error, context))?;
        let mut successful = Vec::new();
        for (handle, result) in handles.into_iter().zip(settled) {
            match result {
                Ok(()) => successful.push(handle),
                Err(error) => failed.push(failure(handle, error)),
            }
        }
        Ok((successful, failed))
    }
}

fn failure(receipt_handle: String, error: ReceiptError) -> Failed {
    let code: &ErrorShape = match error {
        ReceiptError::Gone => &codes::RESOURCE_NOT_FOUND_EXCEPTION,
        ReceiptError::Superseded | ReceiptError::DeadLetter | ReceiptError::Foreign => {
            &codes::INVALID_ARGUMENT_EXCEPTION
        }
    };
    Failed {
        receipt_handle,
        error_code: code.name.to_owned(),
        error_message: Some(error.to_string()),
    }
}

/// Implements an operation that does something with received records, entry by entry: the model gives each of them
/// types of its own, which are alike. The input's members stand where it is named, and `$read` takes an entry apart into
/// what it wants and its receipt.
macro_rules! settles {
    ($operation:ident, $input:ident { $queue_arn:ident, $entries:ident } => $output:ident { $done:ident, $failed:ident }, $kind:expr, $read:expr) => {
        impl Handle<$operation> for Kinesis {
            async fn handle(&self, input: $input, context: &Context) -> Result<$output, ApiError> {
                let $input {
                    $queue_arn,
                    $entries,
                } = input;
                let entries = $entries.into_iter().map($read);
                let (done, failed) = self.settle(&$queue_arn, $kind, entries, context).await?;
                let failed = failed.into_iter().map(|failed| $failed {
                    receipt_handle: failed.receipt_handle,
                    error_code: failed.error_code,
                    error_message: failed.error_message,
                });
                Ok($output {
                    successful: done
                        .into_iter()
                        .map(|receipt_handle| $done { receipt_handle })
                        .collect(),
                    failed: failed.collect(),
                })
            }
        }
    };
}
pub(crate) use settles;

/// A receive with AWS's defaults for what it does not say.
pub(crate) fn receive_of(
    kind: Kind,
    limit: Option<i32>,
    wait_seconds: Option<i32>,
    visibility_seconds: Option<i32>,
) -> Receive {
    Receive {
        kind,
        limit: limit.map_or(RECORDS, |limit| limit.unsigned_abs() as usize),
        visibility: visibility_seconds.map(seconds),
        wait: wait_seconds.map_or(WAIT, seconds),
    }
}

/// Seconds that the model's bounds have passed already.
pub(crate) fn seconds(seconds: i32) -> Duration {
    Duration::from_secs(u64::from(seconds.unsigned_abs()))
}

/// The id in a queue's ARN.
pub(crate) fn queue_id(text: &str, context: &Context) -> Result<String, ApiError> {
    let invalid = || invalid_argument(format!("Invalid QueueARN: {text}"));
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    let id = arn.name_of("queue").ok_or_else(invalid)?;
    if arn.account != context.account.0 || arn.region != context.region.0 {
        return Err(no_queue(text));
    }
    Ok(id.to_owned())
}

/// The ARN of the queue with this id.
pub(crate) fn arn(id: &str, context: &Context) -> String {
    Arn::new(
        "kinesis",
        &context.region,
        &context.account,
        format!("queue/{id}"),
    )
    .to_string()
}

/// The ARN of a stream, as a queue knows it.
pub(crate) fn stream_arn(stream: &StreamName, context: &Context) -> Arn {
    Arn::new(
        "kinesis",
        &context.region,
        &context.account,
        format!("stream/{stream}"),
    )
}

/// A queue. It is made and changed within the call that asks for it; `status` is the one that AWS answers the call
/// with.
pub(crate) fn description(
    record: &QueueRecord,
    status: &str,
    context: &Context,
) -> QueueDescription {
    let is_creating = status == "CREATING";
    let (kind, timestamp) = match record.start {
        Start::Latest => ("LATEST", None),
        Start::TrimHorizon => ("TRIM_HORIZON", None),
        Start::Time(time) => ("AT_TIMESTAMP", Some(time)),
    };
    // The time that `LATEST` or `TRIM_HORIZON` came to is told once the queue is made.
    let timestamp = if is_creating {
        timestamp
    } else {
        Some(record.start_time)
    };
    let position = QueueStartingPosition {
        r#type: kind.to_owned(),
        timestamp: timestamp.map(describe::timestamp),
    };
    QueueDescription {
        queue_name: record.name.clone(),
        queue_arn: arn(&record.id, context),
        queue_status: status.to_owned(),
        queue_creation_timestamp: describe::timestamp(record.created),
        stream_configuration_list: vec![QueueStreamConfiguration {
            stream_arn: record.stream.to_string(),
            starting_position: Some(position),
        }],
        queue_attributes: Some(attributes(&record.attributes)),
    }
}

fn attributes(attributes: &Attributes) -> QueueAttributes {
    let target = if attributes.max_receives.is_some() {
        BUILT_IN
    } else {
        NONE
    };
    QueueAttributes {
        visibility_timeout_seconds: Some(attributes.visibility_s as i32),
        dead_letter_configuration: Some(DeadLetterConfiguration {
            target_type: target.to_owned(),
            max_receive_count: attributes.max_receives.map(|max| max as i32),
        }),
    }
}

/// The change that a request makes to a queue's attributes; those that it does not give stay as they are.
pub(crate) fn changes(given: QueueAttributes) -> Result<impl Fn(&mut Attributes) + Send, ApiError> {
    let QueueAttributes {
        visibility_timeout_seconds,
        dead_letter_configuration,
    } = given;
    let max_receives = dead_letter_configuration.map(max_receives).transpose()?;
    let visibility_s = visibility_timeout_seconds.map(i32::unsigned_abs);
    Ok(move |attributes: &mut Attributes| {
        attributes.max_receives = max_receives.unwrap_or(attributes.max_receives);
        attributes.visibility_s = visibility_s.unwrap_or(attributes.visibility_s);
    })
}

fn max_receives(given: DeadLetterConfiguration) -> Result<Option<u32>, ApiError> {
    let DeadLetterConfiguration {
        target_type,
        max_receive_count,
    } = given;
    match (target_type.as_str(), max_receive_count) {
        (BUILT_IN, Some(max)) => Ok(Some(max.unsigned_abs())),
        (BUILT_IN, None) => Err(validation(
            "MaxReceiveCount is required for a TargetType of BUILT_IN.",
        )),
        (_, None) => Ok(None),
        (_, Some(_)) => Err(validation(
            "MaxReceiveCount is not supported for a TargetType of NONE.",
        )),
    }
}

/// A parameter, or a combination of some, that the model's constraints allow and the service does not.
pub(crate) fn validation(message: impl Into<String>) -> ApiError {
    ApiError::of(&codes::VALIDATION_EXCEPTION, message)
}

fn no_queue(arn: &str) -> ApiError {
    not_found(format!("Queue {arn} not found."))
}

/// A queue's error as an answer. No recordings of AWS's texts are known.
pub(crate) fn api(error: Error, context: &Context) -> ApiError {
    let of = |shape: &ErrorShape| ApiError::of(shape, error.to_string());
    match &error {
        Error::NoQueue(id) => no_queue(&arn(id, context)),
        Error::QueueExists(name) => {
            let account = &context.account.0;
            let exists = format!("Queue {name} under account {account} already exists.");
            in_use(exists)
        }
        Error::Conflict => of(&codes::RESOURCE_IN_USE_EXCEPTION),
        Error::TooManyQueues => of(&codes::LIMIT_EXCEEDED_EXCEPTION),
        Error::TooManyTags => of(&codes::INVALID_ARGUMENT_EXCEPTION),
        Error::TooManyUnacknowledged | Error::TooManyWaiting => of(&codes::THROTTLING_EXCEPTION),
        Error::NoStream => of(&codes::RESOURCE_NOT_FOUND_EXCEPTION),
        Error::Source(_) | Error::Catalog(_) => ApiError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::{join, join_all};
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::World;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    fn queue(name: &str) -> Value {
        json!({"QueueName": name, "StreamConfigurationList": [{"StreamARN": STREAM}]})
    }

    async fn with_on_demand_stream() -> World {
        let world = World::crowded(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        world
    }

    #[tokio::test]
    async fn consumers_and_queues_that_are_made_at_once_share_one_bound() {
        let world = with_on_demand_stream().await;
        let consumers = join_all((0..20).map(|n| {
            let new = json!({"StreamARN": STREAM, "ConsumerName": format!("c-{n}")});
            world.output::<ops::RegisterStreamConsumer>(new)
        }));
        let queues =
            join_all((0..20).map(|n| world.output::<ops::CreateQueue>(queue(&format!("q-{n}")))));
        let (consumers, queues) = join(consumers, queues).await;
        let made = consumers.iter().filter(|made| made.is_ok()).count()
            + queues.iter().filter(|made| made.is_ok()).count();
        assert_eq!(made, 20);
        let refused = consumers.iter().filter_map(|made| made.as_ref().err());
        let refused = refused.chain(queues.iter().filter_map(|made| made.as_ref().err()));
        assert!(
            refused
                .clone()
                .all(|(code, _)| code == "LimitExceededException"),
            "{:?}",
            refused.collect::<Vec<_>>()
        );
    }

    #[tokio::test]
    async fn a_stream_never_has_a_queue_in_provisioned_mode() {
        let world = with_on_demand_stream().await;
        let to_provisioned = json!({
            "StreamARN": STREAM, "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        });
        let (queue, mode) = join(
            world.output::<ops::CreateQueue>(queue("q")),
            world.output::<ops::UpdateStreamMode>(to_provisioned),
        )
        .await;
        assert_ne!(queue.is_ok(), mode.is_ok(), "{queue:?} {mode:?}");
    }

    #[tokio::test]
    async fn a_stream_with_a_queue_is_never_deleted() {
        let world = with_on_demand_stream().await;
        let (queue, deleted) = join(
            world.output::<ops::CreateQueue>(queue("q")),
            world.output::<ops::DeleteStream>(json!({"StreamName": "s"})),
        )
        .await;
        assert_ne!(queue.is_ok(), deleted.is_ok(), "{queue:?} {deleted:?}");
    }
}
