//! GetBucketAcl, PutBucketAcl, GetObjectAcl and PutObjectAcl.

use headwater_objects::{Get, ObjectName};
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    GetBucketAclOutput, GetBucketAclRequest, GetObjectAclOutput, GetObjectAclRequest,
    PutBucketAclRequest, PutObjectAclOutput, PutObjectAclRequest,
    ops::{GetBucketAcl, GetObjectAcl, PutBucketAcl, PutObjectAcl},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    acl::{self, Asked},
    errors::api,
    settings::{self, BODY},
};

/// The list in a request that has nothing else.
macro_rules! whole {
    ($input:expr) => {{
        let asked = acl::asked!($input);
        Asked {
            granted: asked.granted || $input.grant_write.is_some(),
            policy: $input.access_control_policy.as_ref(),
            ..asked
        }
    }};
}

impl Handle<GetBucketAcl> for S3 {
    async fn handle(
        &self,
        input: GetBucketAclRequest,
        context: &Context,
    ) -> Result<GetBucketAclOutput, ApiError> {
        settings::check(&input, &[], context)?;
        self.bucket(&input.bucket).await?;
        let (owner, grants) = acl::of_owner(context);
        Ok(GetBucketAclOutput {
            owner: Some(owner),
            grants: Some(grants),
        })
    }
}

impl Handle<GetObjectAcl> for S3 {
    async fn handle(
        &self,
        input: GetObjectAclRequest,
        context: &Context,
    ) -> Result<GetObjectAclOutput, ApiError> {
        settings::check(&input, &["versionId"], context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let get = Get {
            version: input.version_id,
            ..Get::new(name)
        };
        self.store.head(&get).await.map_err(api)?;
        let (owner, grants) = acl::of_owner(context);
        Ok(GetObjectAclOutput {
            owner: Some(owner),
            grants: Some(grants),
            ..Default::default()
        })
    }
}

impl Handle<PutBucketAcl> for S3 {
    async fn handle(
        &self,
        input: PutBucketAclRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &members(), context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let asked = whole!(input);
        check_given(&asked)?;
        self.check_acl(&bucket, &asked, context).await?;
        Ok(Nothing {})
    }
}

impl Handle<PutObjectAcl> for S3 {
    async fn handle(
        &self,
        input: PutObjectAclRequest,
        context: &Context,
    ) -> Result<PutObjectAclOutput, ApiError> {
        let read = [&members()[..], &["versionId"]].concat();
        settings::check(&input, &read, context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let get = Get {
            version: input.version_id.clone(),
            ..Get::new(name)
        };
        self.store.head(&get).await.map_err(api)?;
        let asked = whole!(input);
        check_given(&asked)?;
        self.check_acl(get.name.bucket(), &asked, context).await?;
        Ok(PutObjectAclOutput::default())
    }
}

fn members() -> Vec<&'static str> {
    [&acl::MEMBERS[..], &BODY, &["AccessControlPolicy"]].concat()
}

fn check_given(asked: &Asked<'_>) -> Result<(), ApiError> {
    if !asked.is_absent() {
        return Ok(());
    }
    let text = "Your request was missing a required header";
    Err(ApiError::new(400, "MissingSecurityHeader", text).with("MissingHeaderName", "x-amz-acl"))
}

#[cfg(test)]
mod tests {
    use headwater_objects::{BucketName, Ownership, Setting};
    use headwater_shapes_s3::AccessControlPolicy;

    use super::*;
    use crate::testing::{World, call, context};

    fn put(canned: Option<&str>) -> PutBucketAclRequest {
        PutBucketAclRequest {
            bucket: "bucket".into(),
            acl: canned.map(str::to_owned),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_list_of_the_owner_alone_is_taken_and_no_other() {
        let world = World::new().await;
        let set = async |input| call::<PutBucketAcl>(&world.s3, input).await;
        set(put(Some("private"))).await.unwrap();
        let (owner, grants) = acl::of_owner(&context());
        let own = AccessControlPolicy {
            grants: Some(grants),
            owner: Some(owner),
        };
        let whole = PutBucketAclRequest {
            access_control_policy: Some(own.clone()),
            ..put(None)
        };
        set(whole.clone()).await.unwrap();
        let both = PutBucketAclRequest {
            acl: Some("private".into()),
            ..whole
        };
        let granted = PutBucketAclRequest {
            grant_write: Some("id=\"x\"".into()),
            ..put(None)
        };
        let twice = PutBucketAclRequest {
            grant_read: Some("id=\"x\"".into()),
            ..put(Some("private"))
        };
        let ownerless = PutBucketAclRequest {
            access_control_policy: Some(AccessControlPolicy { owner: None, ..own }),
            ..put(None)
        };
        for (input, code) in [
            (put(None), "MissingSecurityHeader"),
            (put(Some("fake-acl")), "InvalidArgument"),
            (put(Some("public-read")), "AccessControlListNotSupported"),
            (granted, "AccessControlListNotSupported"),
            (both, "UnexpectedContent"),
            (twice, "InvalidRequest"),
            (ownerless, "MalformedACLError"),
        ] {
            assert_eq!(set(input).await.unwrap_err().code(), code);
        }
        let bucket = BucketName::parse("bucket").unwrap();
        let writers = Setting::Ownership(Some(Ownership::ObjectWriter));
        world.s3.store.set(&bucket, writers).await.unwrap();
        let refused = set(put(Some("public-read"))).await.unwrap_err();
        assert_eq!(refused.code(), "NotImplemented");
        assert!(refused.message().contains("public-read"));
    }
}
