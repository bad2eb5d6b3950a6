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
        let DisableEnhancedMonitoringInput {
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
        self.monitor(
            place,
            &shard_level_metrics,
            monitoring::Switch::Off,
            context,
        )
        .await
    }
}
