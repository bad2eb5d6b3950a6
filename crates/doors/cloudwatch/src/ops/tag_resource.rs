//! TagResource.

use headwater_shapes_cloudwatch::{TagResourceInput, TagResourceOutput, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::of_dashboards, names::dashboard_of_arn, tags};

impl Handle<TagResource> for CloudWatch {
    async fn handle(
        &self,
        input: TagResourceInput,
        context: &Context,
    ) -> Result<TagResourceOutput, ApiError> {
        let TagResourceInput { resource_arn, tags } = input;
        let name = dashboard_of_arn(&resource_arn, context)?;
        let more = tags::read(tags)?;
        let changed = self.dashboards.change_tags(&name, move |tags| {
            tags.extend(more.clone());
        });
        changed.await.map_err(of_dashboards)?;
        Ok(TagResourceOutput {})
    }
}
