//! DisableEnhancedMonitoring. Tested with EnableEnhancedMonitoring.

use headwater_shapes_kinesis::{
    DisableEnhancedMonitoringInput, EnhancedMonitoringOutput, ops::DisableEnhancedMonitoring,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, monitoring, place::Place};

impl Handle<DisableEnhancedMonitoring> for Kinesis {
    async fn handle(
        &self,
        input: DisableEnhancedMonitoringInput,
        context: &Context,
    ) -> Result<EnhancedMonitoringOutput, ApiError> {
        let place = Place {
            name: input.stream_name,
            arn: input.stream_arn,
            id: input.stream_id,
        };
        self.monitor(
            place,
            &input.shard_level_metrics,
            monitoring::Switch::Off,
            context,
        )
        .await
    }
}
