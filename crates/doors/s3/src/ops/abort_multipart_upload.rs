//! AbortMultipartUpload.

use headwater_objects::ObjectName;
use headwater_shapes_s3::{
    AbortMultipartUploadOutput, AbortMultipartUploadRequest, ops::AbortMultipartUpload,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<AbortMultipartUpload> for S3 {
    async fn handle(
        &self,
        input: AbortMultipartUploadRequest,
        context: &Context,
    ) -> Result<AbortMultipartUploadOutput, ApiError> {
        settings::check(&input, &["uploadId"], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        self.store
            .abort_upload(&name, &input.upload_id)
            .await
            .map_err(api)?;
        Ok(AbortMultipartUploadOutput::default())
    }
}
