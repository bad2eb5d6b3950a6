//! AddTags.

use headwater_shapes_cloudtrail::{AddTagsRequest, AddTagsResponse, ops::AddTags};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names, settings::pair};

impl Handle<AddTags> for CloudTrail {
    async fn handle(
        &self,
        input: AddTagsRequest,
        context: &Context,
    ) -> Result<AddTagsResponse, ApiError> {
        let AddTagsRequest {
            resource_id,
            tags_list,
        } = input;
        let name = names::name_of_arn(&resource_id, context)?;
        let more = tags_list.into_iter().map(pair).collect::<Vec<_>>();
        let tag = self.store.tag(&name, move |tags| tags.extend(more));
        tag.await.map_err(api)?;
        Ok(AddTagsResponse {})
    }
}
