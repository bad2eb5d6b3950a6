//! DescribeStream.

use headwater_shapes_kinesis::{
    DescribeStreamInput, DescribeStreamOutput, StreamDescription, ops::DescribeStream,
};
use headwater_streams::ShardFilter;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Kinesis, describe,
    place::{Place, shard_index},
};

/// Shards in one answer, whatever the limit asked for.
const SHARDS: usize = 100;

impl Handle<DescribeStream> for Kinesis {
    async fn handle(
        &self,
        input: DescribeStreamInput,
        context: &Context,
    ) -> Result<DescribeStreamOutput, ApiError> {
        let DescribeStreamInput {
            stream_name,
            limit,
            exclusive_start_shard_id,
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
        let after = exclusive_start_shard_id
            .map(|id| shard_index(&id, &record.name, context))
            .transpose()?;
        let limit = limit.map_or(SHARDS, |limit| SHARDS.min(limit.unsigned_abs() as usize));
        let page = self
            .streams
            .list_shards(&stream, after, ShardFilter::default(), limit);
        let stream_description = StreamDescription {
            stream_name: record.name.to_string(),
            stream_arn: describe::arn(&stream, context),
            stream_status: describe::status(&stream),
            stream_mode_details: Some(describe::mode(&stream)),
            shards: page
                .shards
                .iter()
                .map(|shard| describe::shard(shard))
                .collect(),
            has_more_shards: page.next.is_some(),
            retention_period_hours: record.retention_hours as i32,
            stream_creation_timestamp: describe::created(&stream),
            enhanced_monitoring: describe::monitoring(&stream),
            encryption_type: Some(describe::encryption(&stream)),
            key_id: record.encryption.clone(),
        };
        Ok(DescribeStreamOutput { stream_description })
    }
}
