//! ListTagsForResource, of groups.

use headwater_shapes_logs::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, tags};

impl Handle<ListTagsForResource> for Logs {
    async fn handle(
        &self,
        input: ListTagsForResourceRequest,
        context: &Context,
    ) -> Result<ListTagsForResourceResponse, ApiError> {
        let ListTagsForResourceRequest { resource_arn } = input;
        let group = tags::group(&resource_arn, context)?;
        Ok(ListTagsForResourceResponse {
            tags: Some(self.tags(&group).await?),
        })
    }
}
