//! GetShardIterator.

use headwater_shapes::kinesis::{GetShardIteratorInput, GetShardIteratorOutput, ops::GetShardIterator};
use headwater_streams::{Error, Shard, Start, Stream};
use headwater_types::SequenceNumber;
use headwater_wire::{ApiError, Context, Handle};

use super::put_records::refuse_dry_run;
use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument, no_shard},
    place::{Place, shard, shard_index},
};

impl Handle<GetShardIterator> for Kinesis {
    async fn handle(
        &self,
        input: GetShardIteratorInput,
        context: &Context,
    ) -> Result<GetShardIteratorOutput, ApiError> {
        refuse_dry_run(input.dry_run)?;
        let place = Place {
            name: input.stream_name.clone(),
            arn: input.stream_arn.clone(),
            id: input.stream_id.clone(),
        };
        let name = place.name(context)?;
        let index = shard_index(&input.shard_id, &name, context)?;
        // AWS speaks of the shard here even when it is the stream that is not there.
        let stream = self.streams.get(&name).map_err(|_| no_shard(&name, index, &context.account.0))?;
        let shard = shard(&stream, index, context)?;
        let start = self.start(&input, &stream, shard, context)?;
        let iterator = self.streams.iterator(&stream, shard, start).await;
        let iterator = iterator.map_err(|error| errors::api(error, context))?;
        Ok(GetShardIteratorOutput { shard_iterator: Some(iterator) })
    }
}

impl Kinesis {
    fn start(
        &self,
        input: &GetShardIteratorInput,
        stream: &Stream,
        shard: &Shard,
        context: &Context,
    ) -> Result<Start, ApiError> {
        let kind = input.shard_iterator_type.as_str();
        match (kind, &input.starting_sequence_number) {
            ("TRIM_HORIZON", None) => Ok(Start::TrimHorizon),
            ("LATEST", None) => Ok(Start::Latest),
            ("AT_TIMESTAMP", None) => self.start_time(input),
            ("AT_SEQUENCE_NUMBER", Some(text)) => self.start_number(text, 0, stream, shard, context),
            ("AFTER_SEQUENCE_NUMBER", Some(text)) => self.start_number(text, 1, stream, shard, context),
            (_, given) => Err(mismatch(kind, given.is_some())),
        }
    }

    fn start_time(&self, input: &GetShardIteratorInput) -> Result<Start, ApiError> {
        let time = input.timestamp.map(describe::millis).ok_or_else(|| {
            invalid_argument(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
                 Current request has no timestamp parameter.",
            )
        })?;
        let now = self.streams.now();
        if time > now {
            return Err(invalid_argument(format!(
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                 timestampInMillis: {}, currentTimestampInMillis: {}",
                time.0, now.0
            )));
        }
        Ok(Start::Time(time))
    }

    /// The start at a record, or `skip` records after it.
    fn start_number(
        &self,
        text: &str,
        skip: u64,
        stream: &Stream,
        shard: &Shard,
        context: &Context,
    ) -> Result<Start, ApiError> {
        let state = self.streams.state(stream, shard).map_err(|error: Error| errors::api(error, context))?;
        let invalid = |why: &str| {
            let (index, name, account) = (shard.record.index, &stream.record.name, &context.account.0);
            invalid_argument(format!(
                "StartingSequenceNumber {text} used in GetShardIterator on shard {index} in stream {name} under \
                 account {account} is invalid{why}."
            ))
        };
        let number: SequenceNumber = text.parse().map_err(|_| invalid(""))?;
        if number.shard != shard.record.index {
            return Err(invalid_argument(format!(
                "Invalid StartingSequenceNumber. It encodes {}, while it was used in a call to a shard with {}",
                number.shard, shard.record.index
            )));
        }
        if number.shard_created != shard.record.created.seconds() {
            return Err(invalid(" because it did not come from this stream"));
        }
        match number.offset() {
            // The shard's own first number is before every record.
            None => Ok(Start::Offset(0)),
            Some(_) if shard.last_sequence() == Some(number) => Ok(Start::Offset(state.end)),
            Some(offset) if offset < state.end => Ok(Start::Offset(offset + skip)),
            Some(_) => Err(invalid("")),
        }
    }
}

fn mismatch(kind: &str, given: bool) -> ApiError {
    let had = if given { "also a" } else { "no" };
    invalid_argument(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
         (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
         Request specified {kind} and {had} StartingSequenceNumber."
    ))
}

#[cfg(test)]
mod tests {
    use headwater_shapes::kinesis::ops;
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
    async fn shards_that_are_not_there_are_told_apart_as_on_aws() {
        let world = World::with_stream(3).await;
        let refused = async |input| world.refused::<ops::GetShardIterator>(input).await;
        let none = |text: &str| refusal("ResourceNotFoundException", text);
        assert_eq!(
            refused(request("shardId-5", "LATEST", None)).await,
            none("Shard shardId-000000000005 in stream s under account 000000000000 does not exist")
        );
        assert_eq!(
            refused(request("ABKLFD8", "LATEST", None)).await,
            none("Could not find shard ABKLFD8 in stream s under account 000000000000.")
        );
        let mut unknown = request("shardId-0", "LATEST", None);
        unknown["StreamName"] = json!("t");
        assert_eq!(
            refused(unknown).await,
            none("Shard shardId-000000000000 in stream t under account 000000000000 does not exist")
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
            let refused = world.refused::<ops::GetShardIterator>(request("0", kind, number)).await;
            let text = format!(
                "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
                 (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. Request specified {kind} and {had} \
                 StartingSequenceNumber."
            );
            assert_eq!(refused, refusal("InvalidArgumentException", text));
        }
    }

    #[tokio::test]
    async fn a_number_belongs_to_its_shard_and_stream() {
        let world = World::with_stream(2).await;
        let put = json!({"StreamName": "s", "PartitionKey": "a", "Data": "", "ExplicitHashKey": "0"});
        let number = world.ok::<ops::PutRecord>(put).await["SequenceNumber"].as_str().unwrap().to_owned();
        let refused = async |shard: &str, number: &str| {
            let (code, text) = world
                .refused::<ops::GetShardIterator>(request(shard, "AT_SEQUENCE_NUMBER", Some(number)))
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
        world.ok::<ops::DeleteStream>(json!({"StreamName": "s"})).await;
        world.advance(5000);
        world.ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 2})).await;
        assert_eq!(refused("0", &number).await, used(&number) + " because it did not come from this stream.");
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
