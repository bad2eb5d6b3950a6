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
        let place = Place {
            name: input.stream_name,
            arn: input.stream_arn,
            id: input.stream_id,
        };
        let name = self.stream(place, context)?.record.name.clone();
        let hours = i64::from(input.retention_period_hours);
        self.streams
            .decrease_retention(name, hours)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(Nothing {})
    }
}
