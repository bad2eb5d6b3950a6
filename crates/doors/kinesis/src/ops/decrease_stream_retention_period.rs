//! DecreaseStreamRetentionPeriod.

use headwater_shapes::Nothing;
use headwater_shapes_kinesis::{
    DecreaseStreamRetentionPeriodInput, ops::DecreaseStreamRetentionPeriod,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, errors, place::Place};

impl Handle<DecreaseStreamRetentionPeriod> for Kinesis {
    async fn handle(
        &self,
        input: DecreaseStreamRetentionPeriodInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DecreaseStreamRetentionPeriodInput {
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
            .decrease_retention(name, hours)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}
