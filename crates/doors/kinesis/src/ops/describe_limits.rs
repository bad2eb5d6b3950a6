//! DescribeLimits.

use headwater_shapes_kinesis::{DescribeLimitsInput, DescribeLimitsOutput, ops::DescribeLimits};
use headwater_streams::MAX_ON_DEMAND_STREAMS;
use headwater_wire::{ApiError, Context, Handle};

use crate::Kinesis;

impl Handle<DescribeLimits> for Kinesis {
    async fn handle(
        &self,
        input: DescribeLimitsInput,
        _: &Context,
    ) -> Result<DescribeLimitsOutput, ApiError> {
        let DescribeLimitsInput {} = input;
        let count = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        Ok(DescribeLimitsOutput {
            shard_limit: count(self.streams.options().shard_quota),
            open_shard_count: count(self.streams.open_shards()),
            on_demand_stream_count: count(self.streams.on_demand_streams()),
            on_demand_stream_count_limit: count(MAX_ON_DEMAND_STREAMS),
            ..Default::default()
        })
    }
}
