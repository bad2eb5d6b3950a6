//! MergeShards.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{MergeShardsInput, ops::MergeShards};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, errors,
    place::{Place, shard_index},
};

impl Handle<MergeShards> for Kinesis {
    /// The child takes records when this returns.
    async fn handle(
        &self,
        input: MergeShardsInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let MergeShardsInput {
            stream_name,
            shard_to_merge,
            adjacent_shard_to_merge,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = place.name(context)?;
        let index = shard_index(&shard_to_merge, &name, context)?;
        let adjacent = shard_index(&adjacent_shard_to_merge, &name, context)?;
        let merged = self.streams.merge(name, index, adjacent).await;
        merged.map_err(|error| errors::reshard(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    /// As recorded on AWS by kinesalite's tests.
    #[tokio::test]
    async fn a_merge_names_both_parents() {
        let world = World::with_stream(3).await;
        let merge =
            json!({"StreamName": "s", "ShardToMerge": "a-0", "AdjacentShardToMerge": "b-1"});
        assert_eq!(world.ok::<ops::MergeShards>(merge).await, json!({}));
        let described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let shards = &described["StreamDescription"]["Shards"];
        let mut child = shards[3].clone();
        child.as_object_mut().unwrap().remove("SequenceNumberRange");
        let expected = json!({
            "ShardId": "shardId-000000000003",
            "ParentShardId": "shardId-000000000000",
            "AdjacentParentShardId": "shardId-000000000001",
            "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "226854911280625642308916404954512140969"},
        });
        assert_eq!(child, expected);
        let ended = |n: usize| {
            shards[n]["SequenceNumberRange"]
                .get("EndingSequenceNumber")
                .is_some()
        };
        assert_eq!(
            [ended(0), ended(1), ended(2), ended(3)],
            [true, true, false, false]
        );
        let iterator = world
            .iterator(1, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let read = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await;
        let parents = &read["ChildShards"][0]["ParentShards"];
        assert_eq!(
            *parents,
            json!(["shardId-000000000000", "shardId-000000000001"])
        );
    }

    #[tokio::test]
    async fn what_cannot_be_merged_is_refused() {
        let world = World::with_stream(3).await;
        let refused = async |stream: &str, shard: &str, adjacent: &str| {
            let input = json!({"StreamName": stream, "ShardToMerge": shard, "AdjacentShardToMerge": adjacent});
            world.refused::<ops::MergeShards>(input).await
        };
        let not_found = |text: &str| refusal("ResourceNotFoundException", text);
        assert_eq!(
            refused("t", "0", "1").await,
            not_found("Stream t under account 000000000000 not found.")
        );
        let text = "Could not find shard 2147483648 in stream t under account 000000000000.";
        assert_eq!(refused("t", "0", "2147483648").await, not_found(text));
        assert_eq!(refused("t", "2147483648", "0").await, not_found(text));
        let text =
            "Could not find shard shardId-000000000005 in stream s under account 000000000000.";
        assert_eq!(refused("s", "0", "shardId-5").await, not_found(text));
        assert_eq!(refused("s", "shardId-5", "0").await, not_found(text));
        for (one, two) in [(0, 2), (1, 0)] {
            let text = format!(
                "Shards shardId-00000000000{one} and shardId-00000000000{two} in stream s under account 000000000000 \
                 are not an adjacent pair of shards eligible for merging"
            );
            let refused = refused("s", &one.to_string(), &two.to_string()).await;
            assert_eq!(refused, refusal("InvalidArgumentException", text));
        }
    }
}
