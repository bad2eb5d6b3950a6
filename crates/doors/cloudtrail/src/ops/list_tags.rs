//! ListTags. One page has them all.

use headwater_shapes_cloudtrail::{
    ListTagsRequest, ListTagsResponse, ResourceTag, Tag, errors as shapes, ops::ListTags,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names};

impl Handle<ListTags> for CloudTrail {
    async fn handle(
        &self,
        input: ListTagsRequest,
        context: &Context,
    ) -> Result<ListTagsResponse, ApiError> {
        let ListTagsRequest {
            resource_id_list,
            next_token,
        } = input;
        if next_token.is_some() {
            let text = "The token is not valid.";
            return Err(ApiError::of(&shapes::INVALID_TOKEN_EXCEPTION, text));
        }
        let mut tagged = Vec::with_capacity(resource_id_list.len());
        for resource in resource_id_list {
            let name = names::name_of_arn(&resource, context)?;
            let tags = self.store.trail(&name).await.map_err(api)?.tags.into_iter();
            let tags = tags.map(|(key, value)| Tag {
                key,
                value: Some(value),
            });
            tagged.push(ResourceTag {
                resource_id: Some(resource),
                tags_list: Some(tags.collect()),
            });
        }
        Ok(ListTagsResponse {
            resource_tag_list: Some(tagged),
            next_token: None,
        })
    }
}
