//! EnableEnhancedMonitoring.

use headwater_shapes_kinesis::{
    EnableEnhancedMonitoringInput, EnhancedMonitoringOutput, ops::EnableEnhancedMonitoring,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, monitoring, place::Place};

impl Handle<EnableEnhancedMonitoring> for Kinesis {
    async fn handle(
        &self,
        input: EnableEnhancedMonitoringInput,
        context: &Context,
    ) -> Result<EnhancedMonitoringOutput, ApiError> {
        let EnableEnhancedMonitoringInput {
            stream_name,
            shard_level_metrics,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        self.monitor(place, &shard_level_metrics, monitoring::Switch::On, context)
            .await
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn metrics_are_switched_one_by_one_or_all() {
        let world = World::with_stream(1).await;
        let these = |metrics: Value| json!({"StreamName": "s", "ShardLevelMetrics": metrics});
        let changed = |before: Value, after: Value| {
            json!({
                "StreamName": "s",
                "StreamARN": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
                "CurrentShardLevelMetrics": before,
                "DesiredShardLevelMetrics": after,
            })
        };
        let two = json!(["IncomingBytes", "IteratorAgeMilliseconds"]);
        let on = world
            .ok::<ops::EnableEnhancedMonitoring>(these(two.clone()))
            .await;
        assert_eq!(on, changed(json!([]), two.clone()));
        let described = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        let monitoring = &described["StreamDescriptionSummary"]["EnhancedMonitoring"];
        assert_eq!(*monitoring, json!([{"ShardLevelMetrics": two}]));
        let all = world
            .ok::<ops::EnableEnhancedMonitoring>(these(json!(["ALL"])))
            .await;
        assert_eq!(all["CurrentShardLevelMetrics"], two);
        assert_eq!(all["DesiredShardLevelMetrics"].as_array().unwrap().len(), 7);
        let off = world
            .ok::<ops::DisableEnhancedMonitoring>(these(json!(["IncomingBytes"])))
            .await;
        assert_eq!(off["DesiredShardLevelMetrics"].as_array().unwrap().len(), 6);
        let none = world
            .ok::<ops::DisableEnhancedMonitoring>(these(json!(["ALL"])))
            .await;
        assert_eq!(none["DesiredShardLevelMetrics"], json!([]));
        let unknown = json!({"StreamName": "t", "ShardLevelMetrics": ["ALL"]});
        let gone = refusal(
            "ResourceNotFoundException",
            "Stream t under account 000000000000 not found.",
        );
        assert_eq!(
            world
                .refused::<ops::EnableEnhancedMonitoring>(unknown)
                .await,
            gone
        );
    }
}
