//! ListTagsForResource.

use headwater_shapes_sns::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Sns;

impl Handle<ListTagsForResource> for Sns {
    async fn handle(
        &self,
        input: ListTagsForResourceRequest,
        context: &Context,
    ) -> Result<ListTagsForResourceResponse, ApiError> {
        let ListTagsForResourceRequest { resource_arn } = input;
        let topic = self.tagged(&resource_arn, context)?;
        let tags = topic.tags.into_iter();
        Ok(ListTagsForResourceResponse {
            tags: Some(tags.map(|(key, value)| Tag { key, value }).collect()),
        })
    }
}
