//! UntagResource.

use headwater_shapes_cloudwatch::{UntagResourceInput, UntagResourceOutput, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::of_dashboards, names::dashboard_of_arn};

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
        let name = dashboard_of_arn(&resource_arn, context)?;
        let changed = self.dashboards.change_tags(&name, move |tags| {
            tags.retain(|key, _| !tag_keys.contains(key));
        });
        changed.await.map_err(of_dashboards)?;
        Ok(UntagResourceOutput {})
    }
}
