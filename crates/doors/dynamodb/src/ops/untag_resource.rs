//! UntagResource.

use headwater_shapes::Nothing;
use headwater_shapes_dynamodb::{UntagResourceInput, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, errors::validation, place::name_of_resource};

impl Handle<UntagResource> for Dynamo {
    /// Tags that are not there are no fault.
    async fn handle(
        &self,
        input: UntagResourceInput,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagResourceInput {
            resource_arn,
            tag_keys,
        } = input;
        name_of_resource(&resource_arn, context)?;
        if tag_keys.is_empty() {
            return Err(validation(
                "Atleast one Tag Key needs to be provided as Input.",
            ));
        }
        let table = self.resource(&resource_arn, context)?;
        self.alter(&table.name, |table| {
            table.tags.retain(|key, _| !tag_keys.contains(key));
            Ok(())
        })
        .await?;
        Ok(Nothing {})
    }
}
