//! CreateBucket.

use headwater_objects::{BucketName, ObjectError};
use headwater_shapes_s3::{
    CreateBucketConfiguration, CreateBucketOutput, CreateBucketRequest, ops::CreateBucket,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<CreateBucket> for S3 {
    async fn handle(
        &self,
        input: CreateBucketRequest,
        context: &Context,
    ) -> Result<CreateBucketOutput, ApiError> {
        settings::check(&input, &["CreateBucketConfiguration"], context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        check_location(
            &input.create_bucket_configuration.unwrap_or_default(),
            context,
        )?;
        match self.store.create_bucket(&bucket).await {
            // In the oldest region, making one's own bucket again is no error.
            Err(ObjectError::BucketExists(_)) if context.region.0 == "us-east-1" => {}
            made => made.map_err(api)?,
        }
        Ok(CreateBucketOutput {
            location: Some(format!("/{bucket}")),
            bucket_arn: Some(format!("arn:aws:s3:::{bucket}")),
        })
    }
}

/// A bucket is made in the server's region and nowhere else.
fn check_location(
    configuration: &CreateBucketConfiguration,
    context: &Context,
) -> Result<(), ApiError> {
    let CreateBucketConfiguration {
        location_constraint,
        location,
        bucket,
        tags,
    } = configuration;
    if location.is_some() || bucket.is_some() {
        return Err(settings::unsupported(
            "CreateBucketConfiguration with Location or Bucket",
        ));
    }
    if tags.as_ref().is_some_and(|tags| !tags.is_empty()) {
        return Err(settings::unsupported("CreateBucketConfiguration with Tags"));
    }
    match location_constraint.as_deref() {
        None | Some("") => Ok(()),
        // The name of that region is no location constraint on AWS either.
        Some("us-east-1") if context.region.0 == "us-east-1" => Err(ApiError::new(
            400,
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        )
        .with("LocationConstraint", "us-east-1")),
        Some(region) if region == context.region.0 => Ok(()),
        Some(other) => {
            let message = format!(
                "The {other} location constraint is incompatible for the region specific endpoint this request was \
                 sent to."
            );
            Err(ApiError::new(
                400,
                "IllegalLocationConstraintException",
                message,
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    fn create(bucket: &str, location: Option<&str>) -> CreateBucketRequest {
        let configuration = CreateBucketConfiguration {
            location_constraint: location.map(str::to_owned),
            ..Default::default()
        };
        let create_bucket_configuration = location.map(|_| configuration);
        CreateBucketRequest {
            bucket: bucket.into(),
            create_bucket_configuration,
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_bucket_is_made_once_and_again() {
        let world = World::new().await;
        for _ in 0..2 {
            let made = call::<CreateBucket>(&world.s3, create("new-bucket", None))
                .await
                .unwrap();
            assert_eq!(made.location.as_deref(), Some("/new-bucket"));
        }
        let bad = call::<CreateBucket>(&world.s3, create("Bad_Name", None))
            .await
            .unwrap_err();
        assert_eq!(
            (bad.code(), &bad.fields()["BucketName"]),
            ("InvalidBucketName", &"Bad_Name".into())
        );
    }

    #[tokio::test]
    async fn a_bucket_lives_in_the_servers_region() {
        let world = World::new().await;
        let far = call::<CreateBucket>(&world.s3, create("far", Some("eu-west-1")))
            .await
            .unwrap_err();
        assert_eq!(far.code(), "IllegalLocationConstraintException");
        let here = call::<CreateBucket>(&world.s3, create("here", Some("us-east-1")))
            .await
            .unwrap_err();
        assert_eq!(here.code(), "InvalidLocationConstraint");
    }
}
