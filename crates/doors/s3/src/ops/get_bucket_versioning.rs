//! GetBucketVersioning.

use headwater_objects::{BucketName, Versioning};
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
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        let versioning = self.store.versioning(&bucket).await.map_err(api)?;
        // A bucket that never kept versions has neither status.
        let status = versioning.map(|versioning| match versioning {
            Versioning::Enabled => "Enabled".to_owned(),
            Versioning::Suspended => "Suspended".to_owned(),
        });
        Ok(GetBucketVersioningOutput {
            status,
            mfa_delete: None,
        })
    }
}
