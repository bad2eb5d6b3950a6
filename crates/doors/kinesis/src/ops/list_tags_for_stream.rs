//! ListTagsForStream.

use headwater_shapes_kinesis::{
    ListTagsForStreamInput, ListTagsForStreamOutput, Tag, ops::ListTagsForStream,
};
use headwater_streams::MAX_TAGS;
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, place::Place, tags};

impl Handle<ListTagsForStream> for Kinesis {
    async fn handle(
        &self,
        input: ListTagsForStreamInput,
        context: &Context,
    ) -> Result<ListTagsForStreamOutput, ApiError> {
        let ListTagsForStreamInput {
            stream_name,
            exclusive_start_tag_key,
            limit,
            stream_arn,
            stream_id,
        } = input;
        let place = Place {
            name: stream_name,
            arn: stream_arn,
            id: stream_id,
        };
        let stream = self.stream(place, context)?;
        let limit = limit.map_or(MAX_TAGS, |limit| limit.unsigned_abs() as usize);
        let mut after = tags::after(&stream.record.tags, exclusive_start_tag_key.as_deref());
        let page: Vec<Tag> = after.by_ref().take(limit).collect();
        Ok(ListTagsForStreamOutput {
            tags: page,
            has_more_tags: after.next().is_some(),
        })
    }
}
