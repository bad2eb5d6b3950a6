//! GetBucketLifecycleConfiguration.

use headwater_objects::BucketName;
use headwater_shapes_s3::{
    GetBucketLifecycleConfigurationOutput, GetBucketLifecycleConfigurationRequest,
    ops::GetBucketLifecycleConfiguration,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, lifecycle, settings};

impl Handle<GetBucketLifecycleConfiguration> for S3 {
    async fn handle(
        &self,
        input: GetBucketLifecycleConfigurationRequest,
        context: &Context,
    ) -> Result<GetBucketLifecycleConfigurationOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        let found = self.store.lifecycle(&bucket).await.map_err(api)?;
        let found = found.ok_or_else(|| {
            ApiError::new(
                404,
                "NoSuchLifecycleConfiguration",
                "The lifecycle configuration does not exist",
            )
            .with("BucketName", input.bucket)
        })?;
        Ok(GetBucketLifecycleConfigurationOutput {
            transition_default_minimum_object_size: Some(lifecycle::minimum(&found)),
            rules: Some(found.rules.into_iter().map(lifecycle::to_rule).collect()),
        })
    }
}
