//! SplitShard.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{SplitShardInput, ops::SplitShard};
use headwater_types::HashKey;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, errors,
    place::{Place, shard_index},
};

impl Handle<SplitShard> for Kinesis {
    /// The children take records when this returns.
    async fn handle(&self, input: SplitShardInput, context: &Context) -> Result<Nothing, ApiError> {
        let SplitShardInput {
            stream_name,
            shard_to_split,
            new_starting_hash_key,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = place.name(context)?;
        let index = shard_index(&shard_to_split, &name, context)?;
        let text = new_starting_hash_key;
        let Ok(at) = text.parse::<HashKey>() else {
            let stream = self
                .streams
                .get(&name)
                .map_err(|error| errors::api(error, context))?;
            let shard = stream
                .shard(index)
                .map_err(|error| errors::reshard(error, context))?;
            let account = &context.account.0;
            let over = errors::no_split(&name, index, shard.record.range, &text, account);
            return Err(errors::invalid_argument(over));
        };
        self.streams
            .split(name, index, at)
            .await
            .map_err(|error| errors::reshard(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    /// As recorded on AWS by kinesalite's tests, in all but the numbers' times.
    #[tokio::test]
    async fn a_split_is_described_as_on_aws() {
        let world = World::with_stream(1).await;
        world.advance(60_000);
        let split =
            json!({"StreamName": "s", "ShardToSplit": "anything-0", "NewStartingHashKey": "2"});
        assert_eq!(world.ok::<ops::SplitShard>(split).await, json!({}));
        let mut described = world
            .ok::<ops::DescribeStream>(json!({"StreamName": "s"}))
            .await;
        let description = &mut described["StreamDescription"];
        assert_eq!(description["StreamStatus"], "ACTIVE");
        let ranges: Vec<Value> = description["Shards"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .map(|shard| shard["SequenceNumberRange"].take())
            .collect();
        let number = |n: usize, end: &str| -> headwater_types::SequenceNumber {
            ranges[n][format!("{end}ingSequenceNumber")]
                .as_str()
                .unwrap()
                .parse()
                .unwrap()
        };
        let end = number(0, "End");
        assert_eq!(
            (end.index, end.shard_created),
            (0x7fff_ffff_ffff_ffff, number(0, "Start").shard_created)
        );
        for child in [1, 2] {
            let start = number(child, "Start");
            assert_eq!(
                (start.index, start.shard_created, start.time),
                (0, end.time + 1, end.time + 1)
            );
            assert!(ranges[child].get("EndingSequenceNumber").is_none());
        }
        let shard = |n: u32, start: &str, end: &str| {
            json!({
                "ShardId": format!("shardId-00000000000{n}"),
                "ParentShardId": "shardId-000000000000",
                "HashKeyRange": {"StartingHashKey": start, "EndingHashKey": end},
                "SequenceNumberRange": null,
            })
        };
        let last = "340282366920938463463374607431768211455";
        let mut parent = shard(0, "0", last);
        parent.as_object_mut().unwrap().remove("ParentShardId");
        assert_eq!(
            description["Shards"],
            json!([parent, shard(1, "0", "1"), shard(2, "2", last)])
        );
    }

    #[tokio::test]
    async fn what_cannot_be_split_is_refused() {
        let world = World::with_stream(3).await;
        let refused = async |stream: &str, shard: &str, key: &str| {
            let input =
                json!({"StreamName": stream, "ShardToSplit": shard, "NewStartingHashKey": key});
            world.refused::<ops::SplitShard>(input).await
        };
        let not_found = |text: &str| refusal("ResourceNotFoundException", text);
        assert_eq!(
            refused("t", "0", "0").await,
            not_found("Stream t under account 000000000000 not found.")
        );
        assert_eq!(
            refused("t", "ABKLFD8", "0").await,
            not_found("Could not find shard ABKLFD8 in stream t under account 000000000000.")
        );
        for key in ["0", "999999999999999999999999999999999999999"] {
            let text =
                "Could not find shard shardId-000000000005 in stream s under account 000000000000.";
            assert_eq!(refused("s", "shardId-5", key).await, not_found(text));
        }
        for key in [
            "1",
            "113427455640312821154458202477256070484",
            "999999999999999999999999999999999999999",
        ] {
            let text = format!(
                "NewStartingHashKey {key} used in SplitShard() on shard shardId-000000000000 in stream s under account \
                 000000000000 is not both greater than one plus the shard's StartingHashKey 0 and less than the shard's \
                 EndingHashKey 113427455640312821154458202477256070484."
            );
            assert_eq!(
                refused("s", "shard-0", key).await,
                refusal("InvalidArgumentException", text)
            );
        }
        let again = json!({"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": "7"});
        world.ok::<ops::SplitShard>(again).await;
        let text = "Shard shardId-000000000000 in stream s under account 000000000000 has already been merged or \
                    split, and thus is not eligible for merging or splitting.";
        assert_eq!(
            refused("s", "0", "7").await,
            refusal("InvalidArgumentException", text)
        );
    }
}
