//! ListTagsForResource.

use headwater_shapes_cloudwatch::{
    ListTagsForResourceInput, ListTagsForResourceOutput, ops::ListTagsForResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudWatch, errors::of_dashboards, names::dashboard_of_arn, tags};

impl Handle<ListTagsForResource> for CloudWatch {
    async fn handle(
        &self,
        input: ListTagsForResourceInput,
        context: &Context,
    ) -> Result<ListTagsForResourceOutput, ApiError> {
        let ListTagsForResourceInput { resource_arn } = input;
        let name = dashboard_of_arn(&resource_arn, context)?;
        let found = self.dashboards.get(&name).await.map_err(of_dashboards)?;
        Ok(ListTagsForResourceOutput {
            tags: Some(tags::shown(found.tags)),
        })
    }
}
