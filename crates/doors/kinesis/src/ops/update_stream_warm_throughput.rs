//! UpdateStreamWarmThroughput. Tested with UpdateStreamMode.

use headwater_shapes_kinesis::{
    UpdateStreamWarmThroughputInput, UpdateStreamWarmThroughputOutput,
    ops::UpdateStreamWarmThroughput,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, errors, place::Place};

impl Handle<UpdateStreamWarmThroughput> for Kinesis {
    /// The shards are there when this returns.
    async fn handle(
        &self,
        input: UpdateStreamWarmThroughputInput,
        context: &Context,
    ) -> Result<UpdateStreamWarmThroughputOutput, ApiError> {
        let UpdateStreamWarmThroughputInput {
            stream_arn,
            stream_name,
            stream_id,
            warm_throughput_mibps,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let name = self.stream(place, context)?.record.name.clone();
        let mib = self
            .warm_throughput(Some(warm_throughput_mibps))
            .await?
            .unwrap_or_default();
        let stream = self
            .streams
            .warm(name, mib)
            .await
            .map_err(|error| errors::api(error, context))?;
        Ok(UpdateStreamWarmThroughputOutput {
            stream_arn: Some(describe::arn(&stream, context)),
            stream_name: Some(stream.record.name.to_string()),
            warm_throughput: describe::warm_throughput(&stream),
        })
    }
}
