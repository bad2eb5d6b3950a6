//! GetBucketVersioning: a bucket here never had it enabled, which AWS answers with neither status.

use headwater_objects::BucketName;
use headwater_shapes_s3::{
    GetBucketVersioningOutput, GetBucketVersioningRequest, ops::GetBucketVersioning,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<GetBucketVersioning> for S3 {
    async fn handle(
        &self,
        input: GetBucketVersioningRequest,
        context: &Context,
    ) -> Result<GetBucketVersioningOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.store
            .bucket(&BucketName::parse(&input.bucket).map_err(api)?)
            .await
            .map_err(api)?;
        Ok(GetBucketVersioningOutput::default())
    }
}
