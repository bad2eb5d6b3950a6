//! GetShardIterator.

use headwater_shapes_kinesis::{
    GetShardIteratorInput, GetShardIteratorOutput, ops::GetShardIterator,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, dry_run,
    errors::{self, no_shard},
    place::{Place, shard, shard_index},
    position::Position,
};

impl Handle<GetShardIterator> for Kinesis {
    async fn handle(
        &self,
        input: GetShardIteratorInput,
        context: &Context,
    ) -> Result<GetShardIteratorOutput, ApiError> {
        let GetShardIteratorInput {
            stream_name,
            shard_id,
            shard_iterator_type,
            starting_sequence_number,
            timestamp,
            stream_arn,
            stream_id,
            dry_run,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = place.name(context)?;
        let index = shard_index(&shard_id, &name, context)?;
        // AWS speaks of the shard here even when it is the stream that is not there.
        let found = self.streams.get(&name);
        self.permit_stream(&name, found.as_deref().ok(), context)?;
        let stream = found.map_err(|_| no_shard(&name, index, &context.account.0))?;
        let shard = shard(&stream, index, context)?;
        let position = Position {
            call: "GetShardIterator",
            kind: &shard_iterator_type,
            number: starting_sequence_number.as_deref(),
            time: timestamp,
        };
        let start = self.start(&position, &stream, shard, context).await?;
        dry_run::end(dry_run, || Ok(()))?;
        let iterator = self.streams.iterator(&stream, shard, start).await;
        let iterator = iterator.map_err(|error| errors::api(error, context))?;
        Ok(GetShardIteratorOutput {
            shard_iterator: Some(iterator),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{START, World, refusal};

    fn request(shard: &str, position: &str, number: Option<&str>) -> Value {
        let mut input = json!({"StreamName": "s", "ShardId": shard, "ShardIteratorType": position});
        if let Some(number) = number {
            input["StartingSequenceNumber"] = json!(number);
        }
        input
    }

    #[tokio::test]
    async fn numbers_of_awss_first_form_are_their_shards() {
        let world = World::with_stream(3).await;
        let at = |number| request("shardId-0", "AT_SEQUENCE_NUMBER", Some(number));
        let other = "Invalid StartingSequenceNumber. It encodes shardId-000000000005, while it was used in a call to a \
                     shard with shardId-000000000000";
        let refused = world.refused::<ops::GetShardIterator>(at("5")).await;
        assert_eq!(refused, refusal("InvalidArgumentException", other));
        let (code, _) = world.refused::<ops::GetShardIterator>(at("0")).await;
        assert_eq!(code, "InternalFailure");
    }

    #[tokio::test]
    async fn shards_that_are_not_there_are_told_apart_as_on_aws() {
        let world = World::with_stream(3).await;
        let refused = async |input| world.refused::<ops::GetShardIterator>(input).await;
        let none = |text: &str| refusal("ResourceNotFoundException", text);
        assert_eq!(
            refused(request("shardId-5", "LATEST", None)).await,
            none(
                "Shard shardId-000000000005 in stream s under account 000000000000 does not exist"
            )
        );
        assert_eq!(
            refused(request("ABKLFD8", "LATEST", None)).await,
            none("Could not find shard ABKLFD8 in stream s under account 000000000000.")
        );
        let mut unknown = request("shardId-0", "LATEST", None);
        unknown["StreamName"] = json!("t");
        assert_eq!(
            refused(unknown).await,
            none(
                "Shard shardId-000000000000 in stream t under account 000000000000 does not exist"
            )
        );
    }

    #[tokio::test]
    async fn a_kind_goes_with_a_number_or_without() {
        let world = World::with_stream(1).await;
        for (kind, number, had) in [
            ("LATEST", Some("5"), "also a"),
            ("TRIM_HORIZON", Some("5"), "also a"),
            ("AT_SEQUENCE_NUMBER", None, "no"),
            ("AFTER_SEQUENCE_NUMBER", None, "no"),
        ] {
            let refused = world
                .refused::<ops::GetShardIterator>(request("0", kind, number))
                .await;
            let text = format!(
                "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
                 (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {had} \
                 StartingSequenceNumber."
            );
            assert_eq!(refused, refusal("InvalidArgumentException", text));
        }
    }

    #[tokio::test]
    async fn a_time_is_ignored_beside_other_kinds() {
        let world = World::with_stream(1).await;
        let put = json!({"StreamName": "s", "PartitionKey": "a", "Data": ""});
        let put = world.ok::<ops::PutRecord>(put).await;
        let number = put["SequenceNumber"].as_str().unwrap();
        for (kind, number, found) in [
            ("TRIM_HORIZON", None, 1),
            ("LATEST", None, 0),
            ("AT_SEQUENCE_NUMBER", Some(number), 1),
            ("AFTER_SEQUENCE_NUMBER", Some(number), 0),
        ] {
            for seconds in [START.seconds() - 1, START.seconds() + 2] {
                let mut input = request("0", kind, number);
                input["Timestamp"] = json!(seconds);
                let answer = world.ok::<ops::GetShardIterator>(input).await;
                let input = json!({"ShardIterator": answer["ShardIterator"]});
                let records = &world.ok::<ops::GetRecords>(input).await["Records"];
                assert_eq!(records.as_array().unwrap().len(), found, "{kind}");
            }
        }
    }

    #[tokio::test]
    async fn a_number_belongs_to_its_shard_and_stream() {
        let world = World::with_stream(2).await;
        let put =
            json!({"StreamName": "s", "PartitionKey": "a", "Data": "", "ExplicitHashKey": "0"});
        let number = world.ok::<ops::PutRecord>(put).await["SequenceNumber"]
            .as_str()
            .unwrap()
            .to_owned();
        let refused = async |shard: &str, number: &str| {
            let (code, text) = world
                .refused::<ops::GetShardIterator>(request(
                    shard,
                    "AT_SEQUENCE_NUMBER",
                    Some(number),
                ))
                .await;
            assert_eq!(code, "InvalidArgumentException");
            text
        };
        assert_eq!(
            refused("1", &number).await,
            "Invalid StartingSequenceNumber. It encodes shardId-000000000000, while it was used in a call to a \
             shard with shardId-000000000001"
        );
        let used = |number: &str| {
            format!(
                "StartingSequenceNumber {number} used in GetShardIterator on shard shardId-000000000000 in stream s \
                 under account 000000000000 is invalid"
            )
        };
        let small = "26227199374822427428162556223570313216";
        assert_eq!(refused("0", small).await, used(small) + ".");
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
        world.advance(5000);
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 2}))
            .await;
        assert_eq!(
            refused("0", &number).await,
            used(&number) + " because it did not come from this stream."
        );
    }

    #[tokio::test]
    async fn a_time_is_given_and_not_in_the_future() {
        let world = World::with_stream(1).await;
        let mut input = request("0", "AT_TIMESTAMP", None);
        let (_, text) = world.refused::<ops::GetShardIterator>(input.clone()).await;
        assert_eq!(
            text,
            "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
             Current request has no timestamp parameter."
        );
        input["Timestamp"] = json!(START.seconds() + 2);
        let (_, text) = world.refused::<ops::GetShardIterator>(input.clone()).await;
        assert_eq!(
            text,
            "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
             timestampInMillis: 1700000002000, currentTimestampInMillis: 1700000000000"
        );
        world.advance(2000);
        world.ok::<ops::GetShardIterator>(input).await;
    }
}
