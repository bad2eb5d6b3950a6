//! TagResource; tested with ListTags.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{TagResourceRequest, ops::TagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, tags};

impl Handle<TagResource> for Lambda {
    async fn handle(
        &self,
        input: TagResourceRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let TagResourceRequest { resource, tags } = input;
        if tags.is_empty() {
            // In these words, as recorded on AWS.
            let text = "An error occurred and the request cannot be processed.";
            return Err(errors::invalid_parameter(text));
        }
        tags::check(&tags)?;
        let target = tags::target(&resource, self.functions.options())?;
        let tagged = self
            .functions
            .update_tags(&target.name, move |kept| kept.extend(tags.clone()))
            .await;
        tagged.map_err(|error| errors::api(error, &target.arn))?;
        Ok(Nothing {})
    }
}
