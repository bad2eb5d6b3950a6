//! GetBucketLocation.

use headwater_objects::BucketName;
use headwater_shapes_s3::{
    GetBucketLocationOutput, GetBucketLocationRequest, ops::GetBucketLocation,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<GetBucketLocation> for S3 {
    async fn handle(
        &self,
        input: GetBucketLocationRequest,
        context: &Context,
    ) -> Result<GetBucketLocationOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.store
            .bucket(&BucketName::parse(&input.bucket).map_err(api)?)
            .await
            .map_err(api)?;
        // The oldest region has no location constraint.
        let region = Some(context.region.0.clone()).filter(|region| region != "us-east-1");
        Ok(GetBucketLocationOutput {
            location_constraint: region,
        })
    }
}
