//! RemoveTags.

use headwater_shapes_cloudtrail::{RemoveTagsRequest, RemoveTagsResponse, ops::RemoveTags};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names, settings::pair};

impl Handle<RemoveTags> for CloudTrail {
    async fn handle(
        &self,
        input: RemoveTagsRequest,
        context: &Context,
    ) -> Result<RemoveTagsResponse, ApiError> {
        let RemoveTagsRequest {
            resource_id,
            tags_list,
        } = input;
        let name = names::name_of_arn(&resource_id, context)?;
        let gone = tags_list.into_iter().map(pair).collect::<Vec<_>>();
        let tag = self.store.tag(&name, move |tags| {
            tags.retain(|key, _| gone.iter().all(|(other, _)| other != key));
        });
        tag.await.map_err(api)?;
        Ok(RemoveTagsResponse {})
    }
}
