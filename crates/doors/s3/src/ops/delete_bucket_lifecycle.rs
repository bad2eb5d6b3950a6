//! DeleteBucketLifecycle.

use headwater_objects::BucketName;
use headwater_shapes::Nothing;
use headwater_shapes_s3::{DeleteBucketLifecycleRequest, ops::DeleteBucketLifecycle};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<DeleteBucketLifecycle> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketLifecycleRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        self.store.set_lifecycle(&bucket, None).await.map_err(api)?;
        Ok(Nothing {})
    }
}
