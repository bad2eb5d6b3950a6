//! TagResource.

use headwater_shapes_cloudwatch::{TagResourceInput, TagResourceOutput, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, tags};

impl Handle<TagResource> for CloudWatch {
    async fn handle(
        &self,
        input: TagResourceInput,
        context: &Context,
    ) -> Result<TagResourceOutput, ApiError> {
        let TagResourceInput { resource_arn, tags } = input;
        let more = tags::read(tags)?;
        self.change_tags(&resource_arn, context, move |tags| {
            tags.extend(more.clone())
        })
        .await?;
        Ok(TagResourceOutput {})
    }
}
