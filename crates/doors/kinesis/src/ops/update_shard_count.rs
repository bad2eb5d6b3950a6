//! UpdateShardCount.

use headwater_shapes_kinesis::{
    UpdateShardCountInput, UpdateShardCountOutput, ops::UpdateShardCount,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, errors, place::Place};

impl Handle<UpdateShardCount> for Kinesis {
    /// Uniform scaling, the only kind there is: all open shards own equal parts of the ring when this returns.
    async fn handle(
        &self,
        input: UpdateShardCountInput,
        context: &Context,
    ) -> Result<UpdateShardCountOutput, ApiError> {
        let UpdateShardCountInput {
            stream_name,
            target_shard_count,
            scaling_type,
            stream_arn,
            stream_id,
        } = input;
        if scaling_type != "UNIFORM_SCALING" {
            return Err(ApiError::not_supported(format_args!(
                "ScalingType {scaling_type}"
            )));
        }
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let stream = self.stream(place, context)?;
        let name = stream.record.name.clone();
        let scaled = self
            .streams
            .scale(name.clone(), target_shard_count.unsigned_abs())
            .await;
        let before = scaled.map_err(|error| errors::api(error, context))?;
        Ok(UpdateShardCountOutput {
            stream_name: Some(name.to_string()),
            current_shard_count: Some(i32::try_from(before).unwrap_or(i32::MAX)),
            target_shard_count: Some(target_shard_count),
            stream_arn: Some(describe::arn(&stream, context)),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    fn to(target: u32) -> Value {
        json!({"StreamName": "s", "TargetShardCount": target, "ScalingType": "UNIFORM_SCALING"})
    }

    #[tokio::test]
    async fn a_stream_is_scaled_to_equal_shards() {
        let world = World::with_stream(2).await;
        let expected = json!({
            "StreamName": "s",
            "CurrentShardCount": 2,
            "TargetShardCount": 3,
            "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
        });
        assert_eq!(world.ok::<ops::UpdateShardCount>(to(3)).await, expected);
        let open = json!({"StreamName": "s", "ShardFilter": {"Type": "AT_LATEST"}});
        let shards = world.ok::<ops::ListShards>(open).await;
        let starts: Vec<&Value> = shards["Shards"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| &s["HashKeyRange"]["StartingHashKey"])
            .collect();
        let mut sorted = starts.clone();
        sorted.sort_by_key(|start| start.as_str().unwrap().parse::<u128>().unwrap());
        let thirds = [
            "0",
            "113427455640312821154458202477256070485",
            "226854911280625642308916404954512140970",
        ];
        assert_eq!(json!(sorted), json!(thirds));
    }

    #[tokio::test]
    async fn another_kind_of_scaling_is_refused() {
        let world = World::with_stream(2).await;
        let mut other = to(3);
        other["ScalingType"] = json!("BY_LOAD");
        assert_eq!(
            world.refused::<ops::UpdateShardCount>(other).await,
            refusal(
                "NotImplemented",
                "Headwater does not support ScalingType BY_LOAD yet."
            )
        );
    }

    /// The type is that of AWS's reference; the text is not known.
    #[tokio::test]
    async fn a_stream_in_on_demand_mode_scales_by_itself() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        let split = json!({"StreamName": "s", "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": "7"});
        let merge = json!({
            "StreamName": "s", "ShardToMerge": "shardId-000000000000",
            "AdjacentShardToMerge": "shardId-000000000001",
        });
        let refused = [
            world.refused::<ops::UpdateShardCount>(to(8)).await,
            world.refused::<ops::UpdateShardCount>(to(100)).await,
            world.refused::<ops::SplitShard>(split).await,
            world.refused::<ops::MergeShards>(merge).await,
        ];
        for (code, text) in refused {
            assert_eq!(code, "ValidationException");
            assert!(text.contains("ON_DEMAND"), "{text}");
        }
    }

    /// The first three texts are those that kinesalite's proposed tests expect of AWS.
    #[tokio::test]
    async fn limits_are_those_of_aws() {
        let world = World::new(true).await;
        let refused = async |input| world.refused::<ops::UpdateShardCount>(input).await;
        let limit = |text: &str| refusal("LimitExceededException", text);
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
        assert_eq!(refused(to(2)).await, gone);
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 6}))
            .await;
        assert_eq!(
            refused(to(13)).await,
            limit(
                "UpdateShardCount cannot scale up over double your current open shard count. Current open shard \
                 count: 6, Target shard count: 13"
            )
        );
        assert_eq!(
            refused(to(2)).await,
            limit(
                "UpdateShardCount cannot scale down below half your current open shard count. Current open shard \
                 count: 6, Target shard count: 2"
            )
        );
        assert_eq!(
            refused(to(10_001)).await,
            limit(
                "Target shard count or number of open shards cannot be greater than 10000. Current open shard count: \
                 6, Target shard count: 10001"
            )
        );
        for _ in 0..10 {
            world.ok::<ops::UpdateShardCount>(to(6)).await;
        }
        let (code, text) = refused(to(7)).await;
        assert_eq!(code, "LimitExceededException");
        assert!(
            text.contains("more than 10 times in a rolling 24-hour period"),
            "{text}"
        );
        world.advance(24 * 3_600_000);
        world.ok::<ops::UpdateShardCount>(to(7)).await;
    }
}
