//! Switching shard-level metrics on and off.

use std::collections::BTreeSet;

use headwater_shapes_kinesis::EnhancedMonitoringOutput;
use headwater_streams::ShardMetric;
use headwater_wire::{ApiError, Context};

use crate::{Kinesis, describe, errors, place::Place};

/// Which way metrics are switched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    On,
    Off,
}

impl Kinesis {
    /// Switches the metrics with these names, which the model has checked.
    pub(crate) async fn monitor(
        &self,
        place: Place,
        names: &[String],
        switch: Switch,
        context: &Context,
    ) -> Result<EnhancedMonitoringOutput, ApiError> {
        let api = |error| errors::api(error, context);
        let name = place.name(context)?;
        let named = |metric: &ShardMetric| {
            names
                .iter()
                .any(|name| name == "ALL" || *name == format!("{metric:?}"))
        };
        let metrics: BTreeSet<ShardMetric> = ShardMetric::ALL.into_iter().filter(named).collect();
        let before = self
            .streams
            .monitor(name.clone(), metrics, switch == Switch::On)
            .await
            .map_err(api)?;
        let stream = self.streams.get(&name).map_err(api)?;
        Ok(EnhancedMonitoringOutput {
            stream_name: Some(name.to_string()),
            current_shard_level_metrics: Some(describe::metrics(&before)),
            desired_shard_level_metrics: Some(describe::metrics(&stream.record.metrics)),
            stream_arn: Some(describe::arn(&stream, context)),
        })
    }
}
