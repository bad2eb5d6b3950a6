//! UntagResource; tested with ListTags.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{UntagResourceRequest, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, tags};

impl Handle<UntagResource> for Lambda {
    async fn handle(
        &self,
        input: UntagResourceRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagResourceRequest { resource, tag_keys } = input;
        let target = tags::target(&resource, self.functions.options())?;
        let keys = tag_keys;
        let untagged = self.functions.update_tags(&target.name, move |tags| {
            tags.retain(|key, _| !keys.contains(key))
        });
        untagged
            .await
            .map_err(|error| errors::api(error, &target.arn))?;
        Ok(Nothing {})
    }
}
