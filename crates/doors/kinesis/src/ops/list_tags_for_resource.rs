//! ListTagsForResource.

use headwater_shapes_kinesis::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Kinesis, place::Resource, tags};

impl Handle<ListTagsForResource> for Kinesis {
    async fn handle(
        &self,
        input: ListTagsForResourceInput,
        context: &Context,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        let ListTagsForResourceInput {
            resource_arn,
            stream_id,
        } = input;
        if let Some(channel) = self
            .tagged_channel(&resource_arn, &stream_id, context)
            .await?
        {
            return Ok(ListTagsForResourceOutput {
                tags: Some(tags::after(&channel.tags, None).collect()),
            });
        }
        let listed = match self.owned(resource_arn, stream_id, context)? {
            Resource::Stream(stream) => tags::after(&stream.record.tags, None).collect(),
            Resource::Consumer(_, consumer) => tags::after(&consumer.tags, None).collect(),
            Resource::Queue(queue) => tags::after(&queue.tags, None).collect(),
        };
        Ok(ListTagsForResourceOutput { tags: Some(listed) })
    }
}
