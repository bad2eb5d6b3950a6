//! PutRecord.

use headwater_shapes_kinesis::{PutRecordInput, PutRecordOutput, ops::PutRecord};
use headwater_streams::{Error, PutEntry};
use headwater_types::{Millis, SequenceNumber, StreamName};
use headwater_wire::{ApiError, Context, Handle};

use super::put_records::{hash_key, key_of};
use crate::{Kinesis, describe, dry_run, errors, place::Place};

impl Handle<PutRecord> for Kinesis {
    async fn handle(
        &self,
        input: PutRecordInput,
        context: &Context,
    ) -> Result<PutRecordOutput, ApiError> {
        let PutRecordInput {
            stream_name,
            data,
            partition_key,
            explicit_hash_key,
            sequence_number_for_ordering,
            stream_arn,
            stream_id,
            dry_run,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let stream = self.stream(place, context)?;
        let name = &stream.record.name;
        let partition_key = key_of(&stream, partition_key, || "partitionKey".to_owned())?;
        let hash_key = explicit_hash_key.map(|key| hash_key(&key)).transpose()?;
        if let Some(text) = sequence_number_for_ordering {
            check_ordering(&text, self.streams.now(), name, context)?;
        }
        let entry = PutEntry {
            partition_key,
            hash_key,
            data: data.0,
        };
        let api = |error| match error {
            Error::RecordTooLarge { limit, .. } => errors::too_large("data", limit),
            other => errors::api(other, context),
        };
        dry_run::end(dry_run, || {
            stream.takes(std::slice::from_ref(&entry)).map_err(api)
        })?;
        let put = self.streams.put_one(&stream, entry).await;
        let placed = put
            .map_err(api)?
            .map_err(|error| errors::put(error, name, context))?;
        Ok(PutRecordOutput {
            shard_id: placed.shard.to_string(),
            sequence_number: placed.sequence.to_string(),
            encryption_type: describe::record_encryption(placed.encrypted),
        })
    }
}

/// A shard numbers its records in the order of their calls, which is all that this number asks for; so it is only
/// checked.
fn check_ordering(
    text: &str,
    now: Millis,
    stream: &StreamName,
    context: &Context,
) -> Result<(), ApiError> {
    let valid = text
        .parse::<SequenceNumber>()
        .is_ok_and(|number| number.time <= now.seconds());
    if valid {
        return Ok(());
    }
    let account = &context.account.0;
    Err(errors::invalid_argument(format!(
        "ExclusiveMinimumSequenceNumber {text} used in PutRecord on stream {stream} under account {account} is invalid."
    )))
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_record_goes_where_its_key_says() {
        let world = World::with_stream(3).await;
        let shard = async |record: serde_json::Value| {
            let placed = world.ok::<ops::PutRecord>(record).await;
            assert_eq!(placed.as_object().unwrap().len(), 2, "{placed}");
            placed["ShardId"].as_str().unwrap().to_owned()
        };
        let at = |key: &str| json!({"StreamName": "s", "PartitionKey": "a", "Data": "", "ExplicitHashKey": key});
        assert_eq!(
            shard(json!({"StreamName": "s", "PartitionKey": "a", "Data": ""})).await,
            "shardId-000000000000"
        );
        assert_eq!(
            shard(at("340282366920938463463374607431768211455")).await,
            "shardId-000000000002"
        );
        assert_eq!(
            shard(at("226854911280625642308916404954512140969")).await,
            "shardId-000000000001"
        );
        assert_eq!(
            shard(at("226854911280625642308916404954512140970")).await,
            "shardId-000000000002"
        );
        let over = world
            .refused::<ops::PutRecord>(at("340282366920938463463374607431768211456"))
            .await;
        let text = "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. \
                    Specified value was 340282366920938463463374607431768211456";
        assert_eq!(over, refusal("InvalidArgumentException", text));
    }

    #[tokio::test]
    async fn a_number_for_ordering_is_one_that_was_given() {
        let world = World::with_stream(1).await;
        let put = |number: &str| json!({"StreamName": "s", "PartitionKey": "a", "Data": "", "SequenceNumberForOrdering": number});
        let first = world
            .ok::<ops::PutRecord>(json!({"StreamName": "s", "PartitionKey": "a", "Data": ""}))
            .await;
        let number = first["SequenceNumber"].as_str().unwrap();
        let second = world.ok::<ops::PutRecord>(put(number)).await;
        assert!(second["SequenceNumber"].as_str().unwrap() > number);
        let refused = world
            .refused::<ops::PutRecord>(put("26227199374822427428162556223570313216"))
            .await;
        let text = "ExclusiveMinimumSequenceNumber 26227199374822427428162556223570313216 used in PutRecord on \
                    stream s under account 000000000000 is invalid.";
        assert_eq!(refused, refusal("InvalidArgumentException", text));
    }

    #[tokio::test]
    async fn what_the_service_checks_beside_the_model_is_worded_as_by_the_model() {
        let world = World::with_stream(1).await;
        let refused = async |input| world.refused::<ops::PutRecord>(input).await;
        let large = headwater_shapes::Blob(vec![0; 1_048_577].into());
        assert_eq!(
            refused(json!({"StreamName": "s", "PartitionKey": "a", "Data": large})).await,
            refusal(
                "ValidationException",
                "1 validation error detected: Value at 'data' failed to satisfy constraint: \
                 Member must have length less than or equal to 1048576"
            )
        );
        assert_eq!(
            refused(json!({"StreamName": "s", "Data": ""})).await,
            refusal(
                "ValidationException",
                "1 validation error detected: Value null at 'partitionKey' failed to satisfy constraint: \
                 Member must not be null"
            )
        );
    }
}
