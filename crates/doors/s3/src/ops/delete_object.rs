//! DeleteObject.

use headwater_objects::{Delete, ObjectName, WriteCondition};
use headwater_shapes_s3::{DeleteObjectOutput, DeleteObjectRequest, ops::DeleteObject};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<DeleteObject> for S3 {
    async fn handle(
        &self,
        input: DeleteObjectRequest,
        context: &Context,
    ) -> Result<DeleteObjectOutput, ApiError> {
        settings::check(&input, &["If-Match"], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let condition = input
            .if_match
            .map_or(WriteCondition::None, WriteCondition::IfMatch);
        self.store
            .delete(&Delete { name, condition })
            .await
            .map_err(api)?;
        Ok(DeleteObjectOutput::default())
    }
}
