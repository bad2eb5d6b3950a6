//! TagResource; tested with ListTags.

use std::collections::BTreeMap;

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
        let change = move |kept: &mut BTreeMap<String, String>| kept.extend(tags.clone());
        self.change_tags(&resource, change).await?;
        Ok(Nothing {})
    }
}
