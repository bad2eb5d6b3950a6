//! CreateBucket.

use std::collections::BTreeMap;

use headwater_auth::verify::is_region;
use headwater_objects::{BucketName, BucketSettings, ObjectError, Ownership};
use headwater_shapes_s3::{
    CreateBucketConfiguration, CreateBucketOutput, CreateBucketRequest, ops::CreateBucket,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    acl::{self, Asked},
    errors::api,
    settings,
};

impl Handle<CreateBucket> for S3 {
    async fn handle(
        &self,
        input: CreateBucketRequest,
        context: &Context,
    ) -> Result<CreateBucketOutput, ApiError> {
        let asked = Asked {
            granted: acl::asked!(input).granted || input.grant_write.is_some(),
            ..acl::asked!(input)
        };
        let ownership = ownership(input.object_ownership.as_deref())?;
        check_acl(&asked, ownership, context)?;
        let read = ["CreateBucketConfiguration", "x-amz-object-ownership"];
        settings::check(&input, &read, context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        let configuration = input.create_bucket_configuration.unwrap_or_default();
        let settings = BucketSettings {
            tags: tags(configuration, context)?,
            ownership: Some(ownership),
            ..BucketSettings::default()
        };
        match self.store.create_bucket_with(&bucket, &settings).await {
            // In the oldest region, making one's own bucket again is no error, unless it is to have tags.
            Err(ObjectError::BucketExists(_))
                if context.region.0 == "us-east-1" && settings.tags.is_empty() => {}
            made => made.map_err(api)?,
        }
        Ok(CreateBucketOutput {
            location: Some(format!("/{bucket}")),
            bucket_arn: Some(format!("arn:aws:s3:::{bucket}")),
        })
    }
}

/// The owner of a new bucket's objects.
fn ownership(asked: Option<&str>) -> Result<Ownership, ApiError> {
    let Some(name) = asked else {
        return Ok(Ownership::BucketOwnerEnforced);
    };
    Ownership::named(name).ok_or_else(|| {
        let text = format!("Invalid x-amz-object-ownership header: {name}");
        ApiError::new(400, "InvalidArgument", text).with("ArgumentName", "x-amz-object-ownership")
    })
}

/// Refuses a list that gives a new bucket to others than its owner.
fn check_acl(asked: &Asked<'_>, ownership: Ownership, context: &Context) -> Result<(), ApiError> {
    if asked.is_owners(context)? {
        return Ok(());
    }
    match ownership {
        Ownership::BucketOwnerEnforced => Err(ApiError::new(
            400,
            "InvalidBucketAclWithObjectOwnership",
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        )),
        _ => Err(settings::unsupported(
            "CreateBucket with an ACL for others than the owner",
        )),
    }
}

/// The tags of a new bucket, which is made in the server's region and nowhere else.
fn tags(
    configuration: CreateBucketConfiguration,
    context: &Context,
) -> Result<BTreeMap<String, String>, ApiError> {
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
    check_location(location_constraint.as_deref(), context)?;
    crate::tags::of_new_bucket(tags.unwrap_or_default())
}

fn check_location(constraint: Option<&str>, context: &Context) -> Result<(), ApiError> {
    let incompatible = |constraint: &str| {
        let message = format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint this request was \
             sent to."
        );
        ApiError::new(400, "IllegalLocationConstraintException", message)
    };
    match constraint.filter(|name| !name.is_empty()) {
        None if context.region.0 == "us-east-1" => Ok(()),
        None => Err(incompatible("unspecified")),
        // The name of that region is no location constraint on AWS either, nor is what names none.
        Some(name)
            if context.region.0 == "us-east-1" && (name == "us-east-1" || !is_region(name)) =>
        {
            Err(ApiError::new(
                400,
                "InvalidLocationConstraint",
                "The specified location-constraint is not valid",
            )
            .with("LocationConstraint", name))
        }
        Some(region) if region == context.region.0 => Ok(()),
        Some(other) => Err(incompatible(other)),
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Region;

    use super::*;
    use crate::testing::{World, call, context};

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
        for no_constraint in ["us-east-1", "aws-global", "foo"] {
            let here = call::<CreateBucket>(&world.s3, create("here", Some(no_constraint)))
                .await
                .unwrap_err();
            assert_eq!(here.code(), "InvalidLocationConstraint");
        }
    }

    #[test]
    fn a_region_other_than_the_oldest_is_to_be_named() {
        let mut far = context();
        far.region = Region("eu-west-1".into());
        check_location(Some("eu-west-1"), &far).unwrap();
        for unnamed in [None, Some("")] {
            let refused = check_location(unnamed, &far).unwrap_err();
            assert_eq!(
                refused.message(),
                "The unspecified location constraint is incompatible for the region specific endpoint this request was \
                 sent to."
            );
        }
    }
}
