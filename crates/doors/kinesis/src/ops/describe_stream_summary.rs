//! DescribeStreamSummary.

use headwater_shapes_kinesis::{
    DescribeStreamSummaryInput, DescribeStreamSummaryOutput, StreamDescriptionSummary,
    ops::DescribeStreamSummary,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, describe, place::Place};

impl Handle<DescribeStreamSummary> for Kinesis {
    async fn handle(
        &self,
        input: DescribeStreamSummaryInput,
        context: &Context,
    ) -> Result<DescribeStreamSummaryOutput, ApiError> {
        let DescribeStreamSummaryInput {
            stream_name,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let stream = self.stream(place, context)?;
        let record = &stream.record;
        let channels = self.channels.of_stream(&record.name, context).await?.len();
        let stream_description_summary = StreamDescriptionSummary {
            stream_name: record.name.to_string(),
            stream_arn: describe::arn(&stream, context),
            stream_status: describe::status(&stream),
            stream_mode_details: Some(describe::mode(&stream)),
            retention_period_hours: record.retention_hours as i32,
            stream_creation_timestamp: describe::created(&stream),
            enhanced_monitoring: describe::monitoring(&stream),
            warm_throughput: describe::warm_throughput(&stream),
            encryption_type: Some(describe::encryption(&stream)),
            key_id: record.encryption.clone(),
            record_distribution_strategy: describe::distribution(&stream),
            open_shard_count: i32::try_from(stream.open_shards()).unwrap_or(i32::MAX),
            consumer_count: Some(record.consumers.len() as i32),
            queue_count: Some(self.queues_of(&record.name, context) as i32),
            max_record_size_in_kib: Some((record.max_record_bytes / 1024) as i32),
            channel_count: Some(channels as i32),
            ..Default::default()
        };
        Ok(DescribeStreamSummaryOutput {
            stream_description_summary,
        })
    }
}
