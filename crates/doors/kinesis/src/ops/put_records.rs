//! PutRecords.

use bytes::Bytes;
use headwater_shapes_kinesis::{
    PutRecordsInput, PutRecordsOutput, PutRecordsRequestEntry, PutRecordsResultEntry,
    ops::PutRecords,
};
use headwater_streams::{Distribution, Placed, PutEntry, PutError, Stream};
use headwater_types::{HashKey, StreamName};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, dry_run, errors, place::Place};

impl Handle<PutRecords> for Kinesis {
    async fn handle(
        &self,
        input: PutRecordsInput,
        context: &Context,
    ) -> Result<PutRecordsOutput, ApiError> {
        let PutRecordsInput {
            records,
            stream_name,
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
        let entries = records
            .into_iter()
            .enumerate()
            .map(|(index, record)| entry(&stream, index, record));
        let entries = entries.collect::<Result<Vec<PutEntry>, ApiError>>()?;
        let api = |error| errors::api(error, context);
        dry_run::end(dry_run, || stream.takes(&entries).map_err(api))?;
        let results = self.streams.put(&stream, entries).await.map_err(api)?;
        let failed = results.iter().filter(|result| result.is_err()).count();
        let answer = |result| answer(result, &stream.record.name, context);
        Ok(PutRecordsOutput {
            failed_record_count: Some(failed as i32),
            encryption_type: describe::record_encryption(
                results.iter().flatten().any(|put| put.encrypted),
            ),
            records: results.into_iter().map(answer).collect(),
        })
    }
}

fn entry(
    stream: &Stream,
    index: usize,
    record: PutRecordsRequestEntry,
) -> Result<PutEntry, ApiError> {
    let PutRecordsRequestEntry {
        data,
        explicit_hash_key,
        partition_key,
    } = record;
    let member = || format!("records.{}.member.partitionKey", index + 1);
    Ok(PutEntry {
        partition_key: key_of(stream, partition_key, member)?,
        hash_key: explicit_hash_key.map(|key| hash_key(&key)).transpose()?,
        data: data.0,
    })
}

fn answer(
    result: Result<Placed, PutError>,
    stream: &StreamName,
    context: &Context,
) -> PutRecordsResultEntry {
    match result {
        Ok(placed) => PutRecordsResultEntry {
            sequence_number: Some(placed.sequence.to_string()),
            shard_id: Some(placed.shard.to_string()),
            ..Default::default()
        },
        Err(error) => {
            let (code, message) = errors::entry(&error, stream, &context.account.0);
            PutRecordsResultEntry {
                error_code: Some(code),
                error_message: Some(message),
                ..Default::default()
            }
        }
    }
}

/// An `ExplicitHashKey`: the model allows more digits than there are keys.
pub(super) fn hash_key(text: &str) -> Result<HashKey, ApiError> {
    text.parse().map_err(|_| {
        errors::invalid_argument(format!(
            "Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. Specified value was {text}"
        ))
    })
}

/// A partition key, which the model requires of no record, and streams require that do not distribute records
/// themselves; `member` is its place in the input.
pub(super) fn key_of(
    stream: &Stream,
    given: Option<String>,
    member: impl FnOnce() -> String,
) -> Result<Bytes, ApiError> {
    match given {
        Some(key) => Ok(key.into()),
        None if stream.record.distribution == Distribution::Auto => Ok(Bytes::new()),
        None => Err(errors::validation(format!(
            "Value null at '{}' failed to satisfy constraint: Member must not be null",
            member()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes::Blob;
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    fn records(count: usize, size: usize) -> Value {
        let record = json!({"PartitionKey": "a", "Data": Blob(vec![0; size].into())});
        json!({"StreamName": "s", "Records": vec![record; count]})
    }

    #[tokio::test]
    async fn each_record_has_its_own_answer() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        world.ok::<ops::PutRecords>(records(499, 0)).await;
        let answer = world.ok::<ops::PutRecords>(records(500, 0)).await;
        assert_eq!(answer["FailedRecordCount"], 0);
        let answer = world.ok::<ops::PutRecords>(records(3, 0)).await;
        assert_eq!(answer["FailedRecordCount"], 2);
        assert_eq!(answer["Records"][0]["ShardId"], "shardId-000000000000");
        let throttled = json!({
            "ErrorCode": "ProvisionedThroughputExceededException",
            "ErrorMessage": "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.",
        });
        assert_eq!(
            answer["Records"].as_array().unwrap()[1..],
            [throttled.clone(), throttled]
        );
        let one = json!({"StreamName": "s", "PartitionKey": "a", "Data": ""});
        let text =
            "Rate exceeded for shard shardId-000000000000 in stream s under account 000000000000.";
        let refused = world.refused::<ops::PutRecord>(one).await;
        assert_eq!(
            refused,
            refusal("ProvisionedThroughputExceededException", text)
        );
    }

    #[tokio::test]
    async fn sizes_are_checked_before_anything_is_put() {
        let world = World::with_stream(1).await;
        let refused = async |input| world.refused::<ops::PutRecords>(input).await;
        assert_eq!(
            refused(records(11, 1_000_000)).await,
            refusal(
                "InvalidArgumentException",
                "Records size exceeds 10 MB limit"
            )
        );
        let mut one_large = records(2, 1);
        one_large["Records"][1]["Data"] = json!(Blob(vec![0; 1_048_576].into()));
        assert_eq!(
            refused(one_large).await,
            refusal(
                "ValidationException",
                "1 validation error detected: Value at 'records.2.member.data' failed to satisfy constraint: \
                 Member must have length less than or equal to 1048576"
            )
        );
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let read = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await;
        assert_eq!(read["Records"], json!([]));
    }

    #[tokio::test]
    async fn a_stream_may_be_made_for_larger_records() {
        let world = World::new(true).await;
        let large = json!({"StreamName": "s", "ShardCount": 1, "MaxRecordSizeInKiB": 10_240});
        world.ok::<ops::CreateStream>(large).await;
        assert_eq!(
            world.ok::<ops::PutRecords>(records(1, 5_000_000)).await["FailedRecordCount"],
            0
        );
        assert_eq!(
            world.ok::<ops::PutRecords>(records(1, 1)).await["FailedRecordCount"],
            1
        );
    }
}
