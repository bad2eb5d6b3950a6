//! UntagResource; tested with ListTags.

use std::collections::BTreeMap;

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{UntagResourceRequest, ops::UntagResource};
use headwater_wire::{ApiError, Context, Handle};

use crate::Lambda;

impl Handle<UntagResource> for Lambda {
    async fn handle(
        &self,
        input: UntagResourceRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let UntagResourceRequest { resource, tag_keys } = input;
        let change = move |kept: &mut BTreeMap<String, String>| {
            kept.retain(|key, _| !tag_keys.contains(key));
        };
        self.change_tags(&resource, change).await?;
        Ok(Nothing {})
    }
}
