//! UpdateStreamRecordDistributionStrategy.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{
    UpdateStreamRecordDistributionStrategyInput, ops::UpdateStreamRecordDistributionStrategy,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, errors, place::Place};

impl Handle<UpdateStreamRecordDistributionStrategy> for Kinesis {
    async fn handle(
        &self,
        input: UpdateStreamRecordDistributionStrategyInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UpdateStreamRecordDistributionStrategyInput {
            stream_arn,
            stream_id,
            record_distribution_strategy,
        } = input;
        let name = Place::of_arn(stream_arn, stream_id).name(context)?;
        let distribution = describe::distribution_of(&record_distribution_strategy);
        let updated = self.streams.distribute(name, distribution).await;
        updated.map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    fn to(strategy: &str) -> Value {
        let arn = "arn:aws:kinesis:us-east-1:000000000000:stream/s";
        json!({"StreamARN": arn, "RecordDistributionStrategy": strategy})
    }

    async fn strategy(world: &World) -> Option<String> {
        let described = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        let strategy = &described["StreamDescriptionSummary"]["RecordDistributionStrategy"];
        strategy.as_str().map(str::to_owned)
    }

    #[tokio::test]
    async fn records_need_no_key_and_are_spread_evenly() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(
            strategy(&world).await.as_deref(),
            Some("USER_PARTITION_KEY")
        );
        let without = json!({"StreamName": "s", "Data": "YQ=="});
        assert_eq!(
            world.refused::<ops::PutRecord>(without.clone()).await.0,
            "ValidationException"
        );
        world
            .ok::<ops::UpdateStreamRecordDistributionStrategy>(to("AUTO"))
            .await;
        assert_eq!(strategy(&world).await.as_deref(), Some("AUTO"));
        let with = json!({"PartitionKey": "k", "ExplicitHashKey": "7", "Data": "YQ=="});
        let records = [vec![json!({"Data": "YQ=="}); 4], vec![with; 4]].concat();
        let put = world
            .ok::<ops::PutRecords>(json!({"StreamName": "s", "Records": records}))
            .await;
        let mut counts = BTreeMap::new();
        for record in put["Records"].as_array().unwrap() {
            *counts
                .entry(record["ShardId"].as_str().unwrap())
                .or_insert(0) += 1;
        }
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [2; 4]);
        let iterator = world
            .iterator(0, json!({"ShardIteratorType": "TRIM_HORIZON"}))
            .await;
        let read = world
            .ok::<ops::GetRecords>(json!({"ShardIterator": iterator}))
            .await;
        let key = |n: usize| read["Records"][n].get("PartitionKey").cloned();
        assert_eq!((key(0), key(1)), (None, Some(json!("k"))));
        world
            .ok::<ops::UpdateStreamRecordDistributionStrategy>(to("USER_PARTITION_KEY"))
            .await;
        assert_eq!(
            world.refused::<ops::PutRecord>(without).await.0,
            "ValidationException"
        );
    }

    #[tokio::test]
    async fn only_on_demand_streams_distribute_records() {
        let world = World::with_stream(1).await;
        assert_eq!(strategy(&world).await, None);
        let text = "Stream s under account 000000000000 cannot be in PROVISIONED mode with the record distribution \
                    strategy AUTO. Set the strategy to USER_PARTITION_KEY, or use the ON_DEMAND mode.";
        let refused = world
            .refused::<ops::UpdateStreamRecordDistributionStrategy>(to("AUTO"))
            .await;
        assert_eq!(refused, refusal("InvalidArgumentException", text));
        world
            .ok::<ops::DeleteStream>(json!({"StreamName": "s"}))
            .await;
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream s under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::UpdateStreamRecordDistributionStrategy>(to("AUTO"))
                .await,
            gone
        );
        world
            .ok::<ops::CreateStream>(
                json!({"StreamName": "s", "RecordDistributionStrategy": "AUTO"}),
            )
            .await;
        assert_eq!(strategy(&world).await.as_deref(), Some("AUTO"));
    }
}
