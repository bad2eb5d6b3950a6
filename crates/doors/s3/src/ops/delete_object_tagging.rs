//! DeleteObjectTagging.

use headwater_objects::ObjectName;
use headwater_shapes_s3::{
    DeleteObjectTaggingOutput, DeleteObjectTaggingRequest, ops::DeleteObjectTagging,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<DeleteObjectTagging> for S3 {
    async fn handle(
        &self,
        input: DeleteObjectTaggingRequest,
        context: &Context,
    ) -> Result<DeleteObjectTaggingOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        self.store
            .set_tags(&name, Default::default())
            .await
            .map_err(api)?;
        Ok(DeleteObjectTaggingOutput::default())
    }
}
