//! RegisterStreamConsumer.

use headwater_shapes_kinesis::{
    RegisterStreamConsumerInput, RegisterStreamConsumerOutput, ops::RegisterStreamConsumer,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, errors, place::Place, tags};

impl Handle<RegisterStreamConsumer> for Kinesis {
    /// The consumer may subscribe when this returns.
    async fn handle(
        &self,
        input: RegisterStreamConsumerInput,
        context: &Context,
    ) -> Result<RegisterStreamConsumerOutput, ApiError> {
        let RegisterStreamConsumerInput {
            stream_arn,
            consumer_name,
            stream_id,
            tags,
        } = input;
        let name = Place::of_arn(stream_arn, stream_id).name(context)?;
        let given = tags.unwrap_or_default();
        tags::check_new(&given, &name, context)?;
        let stream = self
            .streams
            .get(&name)
            .map_err(|error| errors::api(error, context))?;
        let most = self.most_consumers(&stream, context).await?;
        let others = self.other_readers(context);
        let registered = self
            .streams
            .register(name, consumer_name, given, most, others)
            .await;
        let consumer = registered.map_err(|error| errors::api(error, context))?;
        Ok(RegisterStreamConsumerOutput {
            consumer: describe::consumer(&consumer, context),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    fn named(name: &str) -> Value {
        json!({"StreamARN": STREAM, "ConsumerName": name})
    }

    #[tokio::test]
    async fn a_consumer_lives_and_goes() {
        let world = World::with_stream(1).await;
        world.advance(1500);
        let registered = world.ok::<ops::RegisterStreamConsumer>(named("c")).await;
        let arn = format!("{STREAM}/consumer/c:1700000001");
        let mut expected = json!({
            "ConsumerName": "c",
            "ConsumerARN": arn,
            "ConsumerStatus": "ACTIVE",
            "ConsumerCreationTimestamp": 1_700_000_001,
        });
        assert_eq!(registered, json!({"Consumer": expected}));
        let listed = world
            .ok::<ops::ListStreamConsumers>(json!({"StreamARN": STREAM}))
            .await;
        assert_eq!(listed, json!({"Consumers": [expected]}));
        expected["StreamARN"] = json!(STREAM);
        for place in [named("c"), json!({"ConsumerARN": arn})] {
            let described = world.ok::<ops::DescribeStreamConsumer>(place).await;
            assert_eq!(described, json!({"ConsumerDescription": expected}));
        }
        let summary = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(summary["StreamDescriptionSummary"]["ConsumerCount"], 1);
        let mut all = named("c");
        all["ConsumerARN"] = json!(arn);
        world.ok::<ops::DeregisterStreamConsumer>(all.clone()).await;
        let gone = refusal(
            "ResourceNotFoundException",
            "Consumer c, account 000000000000 not found.",
        );
        assert_eq!(
            world.refused::<ops::DeregisterStreamConsumer>(all).await,
            gone
        );
        world.advance(1000);
        world.ok::<ops::RegisterStreamConsumer>(named("c")).await;
        let old = world
            .refused::<ops::DescribeStreamConsumer>(json!({"ConsumerARN": arn}))
            .await;
        assert_eq!(old, gone, "a consumer of the same name is another");
    }

    #[tokio::test]
    async fn a_stream_has_twenty_consumers_of_different_names() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s", "ShardCount": 1}))
            .await;
        for n in 0..20 {
            world
                .ok::<ops::RegisterStreamConsumer>(named(&format!("c-{n:02}")))
                .await;
        }
        let exists = "Consumer c-07 under stream s already exists for account 000000000000.";
        let refused = async |name: &str| {
            world
                .refused::<ops::RegisterStreamConsumer>(named(name))
                .await
        };
        assert_eq!(
            refused("c-07").await,
            refusal("ResourceInUseException", exists)
        );
        assert_eq!(refused("c-20").await.0, "LimitExceededException");
        let page = world
            .ok::<ops::ListStreamConsumers>(json!({"StreamARN": STREAM, "MaxResults": 15}))
            .await;
        assert_eq!(page["Consumers"][14]["ConsumerName"], "c-14");
        let next = json!({"StreamARN": STREAM, "NextToken": page["NextToken"]});
        let rest = world.ok::<ops::ListStreamConsumers>(next).await;
        assert_eq!(rest["Consumers"].as_array().unwrap().len(), 5);
        assert!(rest.get("NextToken").is_none());
        let delete = world
            .refused::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(delete.0, "ResourceInUseException");
        assert!(
            delete
                .1
                .starts_with("DeleteStream can't delete arn:aws:kinesis:"),
            "{}",
            delete.1
        );
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s", "EnforceConsumerDeletion": true}))
            .await;
    }

    #[tokio::test]
    async fn a_consumer_is_named_in_one_way_or_in_ways_that_agree() {
        let world = World::with_stream(1).await;
        world.ok::<ops::RegisterStreamConsumer>(named("c")).await;
        let arn = format!("{STREAM}/consumer/c:1700000000");
        let code = async |input| world.refused::<ops::DescribeStreamConsumer>(input).await.0;
        for unclear in [
            json!({}),
            json!({"StreamARN": STREAM}),
            json!({"ConsumerName": "c"}),
            json!({"ConsumerARN": arn, "ConsumerName": "d"}),
            json!({"ConsumerARN": arn, "StreamARN": STREAM.replace("/s", "/t")}),
            json!({"ConsumerARN": STREAM}),
        ] {
            assert_eq!(code(unclear).await, "InvalidArgumentException");
        }
        for missing in [
            named("d"),
            json!({"ConsumerARN": arn.replace("000000000000", "111111111111")}),
        ] {
            assert_eq!(code(missing).await, "ResourceNotFoundException");
        }
    }
}
