//! PutBucketLifecycleConfiguration.

use headwater_objects::BucketName;
use headwater_shapes_s3::{
    PutBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationRequest,
    ops::PutBucketLifecycleConfiguration,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, malformed_xml},
    lifecycle, settings,
};

const READ: [&str; 3] = [
    "LifecycleConfiguration",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-transition-default-minimum-object-size",
];

impl Handle<PutBucketLifecycleConfiguration> for S3 {
    async fn handle(
        &self,
        input: PutBucketLifecycleConfigurationRequest,
        context: &Context,
    ) -> Result<PutBucketLifecycleConfigurationOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        self.store.bucket(&bucket).await.map_err(api)?;
        let configuration = input.lifecycle_configuration.ok_or_else(malformed_xml)?;
        let minimum = input.transition_default_minimum_object_size;
        let rules = lifecycle::read(configuration, minimum.as_deref())?;
        let minimum = lifecycle::minimum(&rules);
        self.store
            .set_lifecycle(&bucket, Some(rules))
            .await
            .map_err(api)?;
        Ok(PutBucketLifecycleConfigurationOutput {
            transition_default_minimum_object_size: Some(minimum),
        })
    }
}
