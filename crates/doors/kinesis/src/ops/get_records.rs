//! GetRecords.

use headwater_shapes_kinesis::{GetRecordsInput, GetRecordsOutput, ops::GetRecords};
use headwater_streams::MAX_READ;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe, dry_run, errors,
    place::{Place, shard},
};

impl Handle<GetRecords> for Kinesis {
    async fn handle(
        &self,
        input: GetRecordsInput,
        context: &Context,
    ) -> Result<GetRecordsOutput, ApiError> {
        let GetRecordsInput {
            shard_iterator,
            limit,
            stream_arn,
            stream_id,
            dry_run,
        } = input;
        let api = |error| errors::api(error, context);
        // As recorded on AWS by LocalStack, an iterator in quotes is taken, too.
        let unquoted = shard_iterator.strip_prefix('"');
        let token = unquoted.and_then(|token| token.strip_suffix('"'));
        let token = token.unwrap_or(&shard_iterator);
        let iterator = self.streams.open_iterator(token).map_err(api)?;
        // An iterator alone is one of the caller's account.
        if stream_arn.is_some() || stream_id.is_some() || context.is_foreign() {
            let place = Place {
                name: None,
                arn: stream_arn,
                id: stream_id,
            };
            if place.name(context)? != iterator.stream {
                return Err(errors::invalid_argument("Invalid ShardIterator."));
            }
        }
        let found = self.streams.stream_of(&iterator);
        self.permit_stream(&iterator.stream, found.as_deref().ok(), context)?;
        let stream = found.map_err(api)?;
        let shard = shard(&stream, iterator.shard, context)?;
        dry_run::end(dry_run, || Ok(()))?;
        let limit = limit.map_or(MAX_READ.records, |limit| limit.unsigned_abs() as usize);
        let read = self
            .streams
            .read(&stream, shard, iterator.offset, limit)
            .await
            .map_err(api)?;
        Ok(GetRecordsOutput {
            records: read.records.into_iter().map(describe::record).collect(),
            next_shard_iterator: (!read.ended)
                .then(|| self.streams.iterator_at(&stream, shard, read.next)),
            millis_behind_latest: Some(i64::try_from(read.millis_behind).unwrap_or(i64::MAX)),
            child_shards: read
                .ended
                .then(|| describe::children(stream.children(iterator.shard))),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    async fn put(world: &World, data: &str) -> String {
        let put = json!({"StreamName": "s", "PartitionKey": "kü", "Data": data});
        world.ok::<ops::PutRecord>(put).await["SequenceNumber"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    async fn read(world: &World, iterator: &Value) -> Value {
        world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await
    }

    #[tokio::test]
    async fn a_record_comes_back_as_on_aws_and_an_iterator_leads_to_the_next() {
        let world = World::with_stream(1).await;
        world.advance(1234);
        let latest = json!(
            world
                .iterator(0, json!({"ShardIteratorType": "LATEST"}))
                .await
        );
        let first = put(&world, "YQ==").await;
        let answer = read(&world, &latest).await;
        let record = json!({
            "SequenceNumber": first,
            "ApproximateArrivalTimestamp": 1_700_000_001.234,
            "Data": "YQ==",
            "PartitionKey": "kü",
        });
        assert_eq!(
            (&answer["Records"], &answer["MillisBehindLatest"]),
            (&json!([record]), &json!(0))
        );
        assert!(answer.get("ChildShards").is_none());
        let second = put(&world, "").await;
        let quoted = json!(answer["NextShardIterator"].to_string());
        let quoted = read(&world, &quoted).await;
        let answer = read(&world, &answer["NextShardIterator"]).await;
        assert_eq!(quoted["Records"], answer["Records"]);
        assert_eq!(answer["Records"][0]["SequenceNumber"], json!(second));
        let answer = read(&world, &answer["NextShardIterator"]).await;
        assert_eq!(answer["Records"], json!([]));
    }

    #[tokio::test]
    async fn every_kind_of_iterator_starts_where_it_says() {
        let world = World::with_stream(1).await;
        let mut numbers = Vec::new();
        for data in ["YQ==", "Yg==", "Yw=="] {
            numbers.push(put(&world, data).await);
            world.advance(1000);
        }
        let first = async |position: Value| {
            let iterator = json!(world.iterator(0, position).await);
            read(&world, &iterator).await["Records"]
                .as_array()
                .unwrap()
                .len()
        };
        let at = |n: usize| json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": numbers[n]});
        let after = |n: usize| json!({"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "StartingSequenceNumber": numbers[n]});
        let time =
            |seconds: f64| json!({"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": seconds});
        assert_eq!(first(json!({"ShardIteratorType": "TRIM_HORIZON"})).await, 3);
        assert_eq!(first(json!({"ShardIteratorType": "LATEST"})).await, 0);
        assert_eq!(
            (
                first(at(1)).await,
                first(after(1)).await,
                first(after(2)).await
            ),
            (2, 1, 0)
        );
        assert_eq!(
            (
                first(time(1_700_000_001.0)).await,
                first(time(1_700_000_001.001)).await
            ),
            (2, 1)
        );
        assert_eq!(
            (first(time(0.0)).await, first(time(1_700_000_003.0)).await),
            (3, 0)
        );
        let described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let start = &described["StreamDescription"]["Shards"][0]["SequenceNumberRange"]["StartingSequenceNumber"];
        let at_start =
            json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": start});
        assert_eq!(first(at_start).await, 3);
    }

    #[tokio::test]
    async fn iterators_that_are_not_ours_or_too_old_are_refused() {
        let world = World::with_stream(1).await;
        let refused = async |iterator: &str| {
            world
                .refused::<ops::GetRecords>(json!({"ShardIterator": iterator}))
                .await
        };
        let invalid = refusal("InvalidArgumentException", "Invalid ShardIterator.");
        assert_eq!(refused("AAAAAAAAAAE=").await, invalid);
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "LATEST"}))
            .await;
        assert_eq!(refused(&iterator.to_lowercase()).await, invalid);
        world.advance(300_001);
        assert_eq!(
            refused(&iterator).await,
            refusal(
                "ExpiredIteratorException",
                "Iterator expired. The iterator was created at time Tue Nov 14 22:13:20 UTC 2023 while right now it \
                 is Tue Nov 14 22:18:20 UTC 2023 which is further in the future than the tolerated delay of 300000 \
                 milliseconds."
            )
        );
    }

    #[tokio::test]
    async fn a_stream_that_is_gone_has_no_shards() {
        let world = World::with_stream(1).await;
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "LATEST"}))
            .await;
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
        let text =
            "Shard shardId-000000000000 in stream s under account 000000000000 does not exist";
        let refused = world
            .refused::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await;
        assert_eq!(refused, refusal("ResourceNotFoundException", text));
    }

    #[tokio::test]
    async fn a_closed_shard_ends_at_its_children() {
        let world = World::with_stream(1).await;
        put(&world, "YQ==").await;
        put(&world, "Yg==").await;
        world.advance(5000);
        world.split().await;
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let answer = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator, "Limit": 1}))
            .await;
        assert!(answer.get("ChildShards").is_none());
        let answer = read(&world, &answer["NextShardIterator"]).await;
        assert_eq!(
            (
                answer["Records"].as_array().unwrap().len(),
                &answer["MillisBehindLatest"]
            ),
            (1, &json!(0))
        );
        assert!(answer.get("NextShardIterator").is_none());
        let child = |id: &str, start: &str, end: &str| {
            json!({
                "ShardId": id,
                "ParentShards": ["shardId-000000000000"],
                "HashKeyRange": {"StartingHashKey": start, "EndingHashKey": end},
            })
        };
        let (middle, end) = (
            "170141183460469231731687303715884105728",
            "340282366920938463463374607431768211455",
        );
        let below = "170141183460469231731687303715884105727";
        let children = [
            child("shardId-000000000001", "0", below),
            child("shardId-000000000002", middle, end),
        ];
        assert_eq!(answer["ChildShards"], json!(children));
        let shards = world
            .ok::<ops::ListShards>(json!({"StreamName": "s"}))
            .await["Shards"]
            .take();
        assert_eq!(shards[1]["ParentShardId"], "shardId-000000000000");
        let last = &shards[0]["SequenceNumberRange"]["EndingSequenceNumber"];
        let at = json!({"ShardIteratorType": "AT_SEQUENCE_NUMBER", "StartingSequenceNumber": last});
        let answer = read(&world, &json!(world.iterator(0, at).await)).await;
        assert_eq!(
            (&answer["Records"], answer.get("NextShardIterator")),
            (&json!([]), None)
        );
    }
}
