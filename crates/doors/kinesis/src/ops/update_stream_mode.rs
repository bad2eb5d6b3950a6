//! UpdateStreamMode.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{StreamModeDetails, UpdateStreamModeInput, ops::UpdateStreamMode};
use headwater_streams::Error;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
    place::Place,
};

impl Handle<UpdateStreamMode> for Kinesis {
    async fn handle(
        &self,
        input: UpdateStreamModeInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UpdateStreamModeInput {
            stream_arn,
            stream_id,
            stream_mode_details,
            warm_throughput_mibps,
        } = input;
        let name = Place::of_arn(stream_arn, stream_id).name(context)?;
        let StreamModeDetails { stream_mode } = stream_mode_details;
        let on_demand = stream_mode == describe::ON_DEMAND;
        if !on_demand && warm_throughput_mibps.is_some() {
            return Err(invalid_argument(
                "WarmThroughputMiBps is only for streams of the ON_DEMAND mode.",
            ));
        }
        let warm = self.warm_throughput(warm_throughput_mibps).await?;
        let others = self.other_readers(context);
        let changed = self
            .streams
            .change_mode(name, on_demand, warm, others)
            .await;
        changed.map_err(|error| match error {
            Error::HasOtherReaders(name) => errors::in_use(format!(
                "Stream {name} has queues, which need the ON_DEMAND mode. Delete every queue on it with DeleteQueue \
                 before you change the mode."
            )),
            error => errors::api(error, context),
        })?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::{Value, json};

    use crate::testing::World;

    const STREAM: &str = "arn:aws:kinesis:us-east-1:000000000000:stream/s";

    fn to(mode: &str) -> Value {
        json!({"StreamARN": STREAM, "StreamModeDetails": {"StreamMode": mode}})
    }

    #[tokio::test]
    async fn a_mode_changes_twice_a_day() {
        let world = World::new(true).await;
        world
            .ok::<ops::CreateStream>(json!({"StreamName": "s"}))
            .await;
        let mode = async || {
            let described = world
                .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
                .await;
            let summary = &described["StreamDescriptionSummary"];
            (
                summary["StreamModeDetails"]["StreamMode"].clone(),
                summary["OpenShardCount"].clone(),
            )
        };
        assert_eq!(mode().await, (json!("ON_DEMAND"), json!(4)));
        let split = json!({"StreamName": "s", "ShardToSplit": "0", "NewStartingHashKey": "7"});
        assert_eq!(
            world.refused::<ops::SplitShard>(split.clone()).await.0,
            "ValidationException"
        );
        let limits = world.ok::<ops::DescribeLimits>(json!({})).await;
        assert_eq!(
            (
                &limits["OnDemandStreamCount"],
                &limits["OnDemandStreamCountLimit"]
            ),
            (&json!(1), &json!(50))
        );
        world.ok::<ops::UpdateStreamMode>(to("PROVISIONED")).await;
        assert_eq!(mode().await, (json!("PROVISIONED"), json!(4)));
        world.ok::<ops::SplitShard>(split).await;
        world.ok::<ops::UpdateStreamMode>(to("ON_DEMAND")).await;
        assert_eq!(mode().await, (json!("ON_DEMAND"), json!(5)));
        let refused = world
            .refused::<ops::UpdateStreamMode>(to("PROVISIONED"))
            .await;
        assert_eq!(refused.0, "LimitExceededException");
    }

    #[tokio::test]
    async fn warm_throughput_goes_with_on_demand_and_a_commitment() {
        let world = World::with_stream(1).await;
        let warm = |mib: u32| json!({"StreamName": "s", "WarmThroughputMiBps": mib});
        let refused = async |input| {
            world
                .refused::<ops::UpdateStreamWarmThroughput>(input)
                .await
                .0
        };
        assert_eq!(refused(warm(5)).await, "InvalidArgumentException");
        let commitment = json!({"MinimumThroughputBillingCommitment": {"Status": "ENABLED"}});
        world.ok::<ops::UpdateAccountSettings>(commitment).await;
        assert_eq!(refused(warm(5)).await, "ValidationException");
        let mut with_warm = to("ON_DEMAND");
        with_warm["WarmThroughputMiBps"] = json!(7);
        world.ok::<ops::UpdateStreamMode>(with_warm).await;
        let described = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        let summary = &described["StreamDescriptionSummary"];
        assert_eq!(
            summary["WarmThroughput"],
            json!({"TargetMiBps": 7, "CurrentMiBps": 7})
        );
        assert_eq!(summary["OpenShardCount"], 8);
        let updated = world.ok::<ops::UpdateStreamWarmThroughput>(warm(20)).await;
        let expected = json!({
            "StreamName": "s",
            "StreamARN": STREAM,
            "WarmThroughput": {"TargetMiBps": 20, "CurrentMiBps": 20},
        });
        assert_eq!(updated, expected);
        assert_eq!(refused(warm(10_241)).await, "InvalidArgumentException");
        let mut back = to("PROVISIONED");
        back["WarmThroughputMiBps"] = json!(7);
        assert_eq!(
            world.refused::<ops::UpdateStreamMode>(back).await.0,
            "InvalidArgumentException"
        );
    }
}
