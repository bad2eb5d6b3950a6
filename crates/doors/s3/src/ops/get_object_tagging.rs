//! GetObjectTagging.

use headwater_objects::{Get, ObjectName};
use headwater_shapes_s3::{GetObjectTaggingOutput, GetObjectTaggingRequest, ops::GetObjectTagging};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings, tags};

impl Handle<GetObjectTagging> for S3 {
    async fn handle(
        &self,
        input: GetObjectTaggingRequest,
        context: &Context,
    ) -> Result<GetObjectTaggingOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let found = self.store.head(&Get::new(name)).await.map_err(api)?;
        let tag_set = tags::to_set(found.object.attributes.tags);
        Ok(GetObjectTaggingOutput {
            tag_set,
            ..Default::default()
        })
    }
}
