//! ListTagsOfResource.

use headwater_shapes_dynamodb::{
    ListTagsOfResourceInput, ListTagsOfResourceOutput, Tag, ops::ListTagsOfResource,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, errors::invalid};

impl Handle<ListTagsOfResource> for Dynamo {
    /// All tags at once: a page of AWS's holds as many as a table can have.
    async fn handle(
        &self,
        input: ListTagsOfResourceInput,
        context: &Context,
    ) -> Result<ListTagsOfResourceOutput, ApiError> {
        let ListTagsOfResourceInput {
            resource_arn,
            next_token,
        } = input;
        let table = self.resource(&resource_arn, context)?;
        if next_token.is_some() {
            return Err(invalid("NextToken is not one that was given"));
        }
        let tags = table.tags.into_iter();
        let tags = tags.map(|(key, value)| Tag { key, value });
        Ok(ListTagsOfResourceOutput {
            tags: Some(tags.collect()),
            next_token: None,
        })
    }
}
