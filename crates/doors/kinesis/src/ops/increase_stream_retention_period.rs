//! IncreaseStreamRetentionPeriod.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{
    IncreaseStreamRetentionPeriodInput, ops::IncreaseStreamRetentionPeriod,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place};

impl Handle<IncreaseStreamRetentionPeriod> for Kinesis {
    async fn handle(
        &self,
        input: IncreaseStreamRetentionPeriodInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let IncreaseStreamRetentionPeriodInput {
            stream_name,
            retention_period_hours,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = self.stream(place, context)?.record.name.clone();
        let hours = i64::from(retention_period_hours);
        self.streams
            .increase_retention(name, hours)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_kinesis::ops;
    use serde_json::json;

    use crate::testing::{World, refusal};

    #[tokio::test]
    async fn retention_is_changed_in_the_direction_that_is_named() {
        let world = World::with_stream(1).await;
        let to = |hours: i32| json!({"StreamName": "s", "RetentionPeriodHours": hours});
        let invalid = |text: &str| refusal("InvalidArgumentException", text);
        world.ok::<ops::IncreaseStreamRetentionPeriod>(to(25)).await;
        world.ok::<ops::IncreaseStreamRetentionPeriod>(to(25)).await;
        assert_eq!(
            world
                .refused::<ops::IncreaseStreamRetentionPeriod>(to(24))
                .await,
            invalid(
                "Requested retention period (24 hours) for stream s can not be shorter than existing retention \
                 period (25 hours). Use DecreaseRetentionPeriod API."
            )
        );
        assert_eq!(
            world
                .refused::<ops::DecreaseStreamRetentionPeriod>(to(26))
                .await,
            invalid(
                "Requested retention period (26 hours) for stream s can not be longer than existing retention \
                 period (25 hours). Use IncreaseRetentionPeriod API."
            )
        );
        let short = "Minimum allowed retention period is 24 hours. Requested retention period (23 hours) is too short.";
        assert_eq!(
            world
                .refused::<ops::DecreaseStreamRetentionPeriod>(to(23))
                .await,
            invalid(short)
        );
        let long = "Maximum allowed retention period is 8760 hours. Requested retention period (9999 hours) is too long.";
        assert_eq!(
            world
                .refused::<ops::IncreaseStreamRetentionPeriod>(to(9999))
                .await,
            invalid(long)
        );
        world.ok::<ops::DecreaseStreamRetentionPeriod>(to(24)).await;
        let summary = world
            .ok::<ops::DescribeStreamSummary>(json!({"StreamName": "s"}))
            .await;
        assert_eq!(
            summary["StreamDescriptionSummary"]["RetentionPeriodHours"],
            24
        );
    }
}
