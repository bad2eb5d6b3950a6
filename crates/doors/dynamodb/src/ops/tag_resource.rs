//! TagResource.

use headwater_shapes::Nothing;
use headwater_shapes_dynamodb::{TagResourceInput, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::{check_state, validation},
    place::name_of_resource,
    tags,
};

impl Handle<TagResource> for Dynamo {
    async fn handle(
        &self,
        input: TagResourceInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let TagResourceInput { resource_arn, tags } = input;
        name_of_resource(&resource_arn, context)?;
        if tags.is_empty() {
            return Err(validation("Atleast one Tag needs to be provided as Input."));
        }
        let added = tags::read(tags)?;
        let table = self.resource(&resource_arn, context)?;
        let now = self.clock.now();
        self.alter(&table.name, |table| {
            check_state(table, now)?;
            table.tags.extend(added.clone());
            tags::check_count(&table.tags)
        })
        .await?;
        Ok(Nothing {})
    }
}
