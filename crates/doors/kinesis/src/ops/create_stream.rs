//! CreateStream.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{CreateStreamInput, StreamModeDetails, ops::CreateStream};
use headwater_streams::{DEFAULT_MAX_RECORD_BYTES, NewStream};
use headwater_types::StreamName;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
    place, tags,
};

impl Handle<CreateStream> for Kinesis {
    /// The stream is ACTIVE when this returns.
    async fn handle(
        &self,
        input: CreateStreamInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let CreateStreamInput {
            stream_name,
            shard_count,
            stream_mode_details,
            tags,
            warm_throughput_mibps,
            max_record_size_in_kib,
            record_distribution_strategy,
        } = input;
        let name = place::stream_name(&stream_name)?;
        let mode = stream_mode_details.map(|StreamModeDetails { stream_mode }| stream_mode);
        let of_mode = self
            .of_mode(
                name.clone(),
                mode.as_deref(),
                shard_count,
                warm_throughput_mibps,
            )
            .await?;
        let distribution = record_distribution_strategy
            .as_deref()
            .map(describe::distribution_of);
        let given = tags.unwrap_or_default();
        tags::check_new(&given, &name, context)?;
        let max_record_bytes = max_record_size_in_kib
            .map_or(DEFAULT_MAX_RECORD_BYTES, |kib| kib.unsigned_abs() * 1024);
        let new = NewStream {
            tags: given,
            max_record_bytes,
            distribution: distribution.unwrap_or_default(),
            ..of_mode
        };
        self.streams
            .create(new)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

impl Kinesis {
    /// A stream of the mode that is asked for. AWS makes an on-demand stream of what names neither mode nor count.
    async fn of_mode(
        &self,
        name: StreamName,
        mode: Option<&str>,
        shard_count: Option<i32>,
        warm_throughput: Option<i32>,
    ) -> Result<NewStream, ApiError> {
        let on_demand =
            mode == Some(describe::ON_DEMAND) || mode.is_none() && shard_count.is_none();
        match (on_demand, shard_count) {
            (true, None) => {
                let warm = self.warm_throughput(warm_throughput).await?;
                Ok(NewStream::on_demand(name, warm))
            }
            (true, Some(_)) => Err(invalid_argument(
                "ShardCount must not be given for streams of the ON_DEMAND mode.",
            )),
            (false, _) if warm_throughput.is_some() => Err(invalid_argument(
                "WarmThroughputMiBps is only for streams of the ON_DEMAND mode.",
            )),
            (false, Some(count)) => Ok(NewStream::new(name, count.unsigned_abs())),
            (false, None) => Err(invalid_argument(
                "ShardCount is required for streams of the PROVISIONED mode.",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn a_stream_is_described_as_on_aws() {
        let world = World::with_stream(3).await;
        let mut described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let shards = described["StreamDescription"]["Shards"]
            .as_array_mut()
            .unwrap();
        for shard in shards {
            let start = shard["SequenceNumberRange"]["StartingSequenceNumber"].take();
            assert_eq!(start.as_str().unwrap().len(), 56);
        }
        let shard = |n: u32, start: &str, end: &str| {
            json!({
                "ShardId": format!("shardId-00000000000{n}"),
                "HashKeyRange": {"StartingHashKey": start, "EndingHashKey": end},
                "SequenceNumberRange": {"StartingSequenceNumber": null},
            })
        };
        let expected = json!({"StreamDescription": {
            "StreamName": "s",
            "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "StreamStatus": "ACTIVE",
            "StreamModeDetails": {"StreamMode": "PROVISIONED"},
            "Shards": [
                shard(0, "0", "113427455640312821154458202477256070484"),
                shard(1, "113427455640312821154458202477256070485", "226854911280625642308916404954512140969"),
                shard(2, "226854911280625642308916404954512140970", "340282366920938463463374607431768211455"),
            ],
            "HasMoreShards": false,
            "RetentionPeriodHours": 24,
            "StreamCreationTimestamp": 1_700_000_000,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}],
            "EncryptionType": "NONE",
        }});
        assert_eq!(described, expected);
        let summary = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        let summary = &summary["StreamDescriptionSummary"];
        assert_eq!(
            (&summary["OpenShardCount"], &summary["ConsumerCount"]),
            (&json!(3), &json!(0))
        );
        assert_eq!(summary["MaxRecordSizeInKiB"], 1024);
    }

    #[tokio::test]
    async fn what_cannot_be_made_is_refused() {
        let world = World::with_stream(3).await;
        let refused = async |input| world.refused::<ops::CreateStream>(input).await;
        assert_eq!(
            refused(json!({"StreamName": "s", "ShardCount": 1})).await,
            refusal(
                "ResourceInUseException",
                "Stream s under account 000000000000 already exists."
            )
        );
        assert_eq!(
            refused(json!({"StreamName": "t", "ShardCount": 100_000})).await,
            refusal(
                "LimitExceededException",
                "This request would exceed the shard limit for the account 000000000000 in us-east-1. Current shard \
                 count for the account: 3. Limit: 20000. Number of additional shards that would have resulted from \
                 this request: 100000. Refer to the AWS Service Limits page \
                 (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how \
                 to request higher limits."
            )
        );
        for contradiction in [
            json!({"StreamName": "t", "ShardCount": 1, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}}),
            json!({"StreamName": "t", "StreamModeDetails": {"StreamMode": "PROVISIONED"}}),
            json!({"StreamName": "t", "ShardCount": 1, "WarmThroughputMiBps": 1}),
            json!({"StreamName": "t", "ShardCount": 1, "RecordDistributionStrategy": "AUTO"}),
        ] {
            assert_eq!(refused(contradiction).await.0, "InvalidArgumentException");
        }
        let limits = world.ok::<ops::DescribeLimits>(json!({})).await;
        assert_eq!(
            (&limits["OpenShardCount"], &limits["ShardLimit"]),
            (&json!(3), &json!(20_000))
        );
    }

    #[tokio::test]
    async fn a_deleted_stream_is_gone() {
        let world = World::with_stream(1).await;
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::DeleteStream>(json!({"StreamName": "s"}))
                .await,
            gone
        );
        assert_eq!(
            world
                .refused::<ops::DescribeStream>(json!({"StreamName": "s"}))
                .await,
            gone
        );
        let put = json!({"StreamName": "s", "PartitionKey": "a", "Data": ""});
        assert_eq!(world.refused::<ops::PutRecord>(put).await, gone);
    }
}
