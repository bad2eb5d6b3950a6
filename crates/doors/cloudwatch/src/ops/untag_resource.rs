//! UntagResource.

use headwater_shapes_cloudwatch::{UntagResourceInput, UntagResourceOutput, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::CloudWatch;

impl Handle<UntagResource> for CloudWatch {
    async fn handle(
        &self,
        input: UntagResourceInput,
        context: &Context,
    ) -> Result<UntagResourceOutput, ApiError> {
        let UntagResourceInput {
            resource_arn,
            tag_keys,
        } = input;
        self.change_tags(&resource_arn, context, move |tags| {
            tags.retain(|key, _| !tag_keys.contains(key));
        })
        .await?;
        Ok(UntagResourceOutput {})
    }
}
