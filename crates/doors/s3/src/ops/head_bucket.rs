//! HeadBucket.

use headwater_objects::BucketName;
use headwater_shapes_s3::{HeadBucketOutput, HeadBucketRequest, ops::HeadBucket};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<HeadBucket> for S3 {
    async fn handle(
        &self,
        input: HeadBucketRequest,
        context: &Context,
    ) -> Result<HeadBucketOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        self.store.bucket(&bucket).await.map_err(api)?;
        Ok(HeadBucketOutput {
            bucket_arn: Some(format!("arn:aws:s3:::{bucket}")),
            bucket_region: Some(context.region.0.clone()),
            access_point_alias: Some(false),
            ..Default::default()
        })
    }
}
