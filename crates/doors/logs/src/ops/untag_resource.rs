//! UntagResource, of groups.

use std::collections::BTreeMap;

use headwater_shapes::Nothing;
use headwater_shapes_logs::{UntagResourceRequest, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Logs, tags};

impl Handle<UntagResource> for Logs {
    async fn handle(
        &self,
        input: UntagResourceRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagResourceRequest {
            resource_arn,
            tag_keys,
        } = input;
        let group = tags::group(&resource_arn, context)?;
        self.change_tags(&group, BTreeMap::new(), tag_keys).await?;
        Ok(Nothing {})
    }
}
