//! ListQueueTags.

use headwater_shapes_sqs::{ListQueueTagsRequest, ListQueueTagsResult, ops::ListQueueTags};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sqs;

impl Handle<ListQueueTags> for Sqs {
    async fn handle(
        &self,
        input: ListQueueTagsRequest,
        context: &Context,
    ) -> Result<ListQueueTagsResult, ApiError> {
        let ListQueueTagsRequest { queue_url } = input;
        let tags = self.queue(&queue_url, context)?.tags;
        let tags = (!tags.is_empty()).then_some(tags);
        Ok(ListQueueTagsResult { tags })
    }
}
