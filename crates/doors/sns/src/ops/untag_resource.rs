//! UntagResource.

use headwater_shapes_sns::{UntagResourceRequest, UntagResourceResponse, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Sns, errors::api};

impl Handle<UntagResource> for Sns {
    async fn handle(
        &self,
        input: UntagResourceRequest,
        context: &Context,
    ) -> Result<UntagResourceResponse, ApiError> {
        let UntagResourceRequest {
            resource_arn,
            tag_keys,
        } = input;
        let topic = self.tagged(&resource_arn, context)?;
        let changed = self.topics.update(&topic.name, move |topic| {
            topic.tags.retain(|key, _| !tag_keys.contains(key));
            Ok(())
        });
        changed.await.map_err(api)?;
        Ok(UntagResourceResponse {})
    }
}
