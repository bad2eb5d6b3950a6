//! Who owns objects, and what is kept from the public: the ownership controls and the public access block. There is one
//! owner here, and neither lists nor policies make anything public, so all of their values hold.

use headwater_objects::{Ownership, PublicAccess, Setting};
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    DeleteBucketOwnershipControlsRequest, DeletePublicAccessBlockRequest,
    GetBucketOwnershipControlsOutput, GetBucketOwnershipControlsRequest,
    GetPublicAccessBlockOutput, GetPublicAccessBlockRequest, OwnershipControls,
    OwnershipControlsRule, PublicAccessBlockConfiguration, PutBucketOwnershipControlsRequest,
    PutPublicAccessBlockRequest,
    ops::{
        DeleteBucketOwnershipControls, DeletePublicAccessBlock, GetBucketOwnershipControls,
        GetPublicAccessBlock, PutBucketOwnershipControls, PutPublicAccessBlock,
    },
};
use headwater_wire::{ApiError, Context, Handle};

use super::bucket_without::none;
use crate::{
    S3,
    errors::{api, malformed_xml},
    settings::{self, BODY},
};

impl Handle<GetBucketOwnershipControls> for S3 {
    async fn handle(
        &self,
        input: GetBucketOwnershipControlsRequest,
        context: &Context,
    ) -> Result<GetBucketOwnershipControlsOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let settings = self.store.settings(&bucket).await.map_err(api)?;
        let Some(ownership) = settings.ownership else {
            return none(
                "OwnershipControlsNotFoundError",
                "The bucket ownership controls were not found",
                &bucket,
            );
        };
        let rule = OwnershipControlsRule {
            object_ownership: ownership.name().to_owned(),
        };
        Ok(GetBucketOwnershipControlsOutput {
            ownership_controls: Some(OwnershipControls { rules: vec![rule] }),
        })
    }
}

impl Handle<PutBucketOwnershipControls> for S3 {
    async fn handle(
        &self,
        input: PutBucketOwnershipControlsRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(
            &input,
            &[&BODY[..], &["OwnershipControls"]].concat(),
            context,
        )?;
        let bucket = self.bucket(&input.bucket).await?;
        let OwnershipControls { rules } = input.ownership_controls;
        let [rule] = <[_; 1]>::try_from(rules).map_err(|_| malformed_xml())?;
        let OwnershipControlsRule { object_ownership } = rule;
        let ownership = Ownership::named(&object_ownership).ok_or_else(malformed_xml)?;
        let set = self.store.set(&bucket, Setting::Ownership(Some(ownership)));
        set.await.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<DeleteBucketOwnershipControls> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketOwnershipControlsRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let set = self.store.set(&bucket, Setting::Ownership(None)).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<GetPublicAccessBlock> for S3 {
    async fn handle(
        &self,
        input: GetPublicAccessBlockRequest,
        context: &Context,
    ) -> Result<GetPublicAccessBlockOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let settings = self.store.settings(&bucket).await.map_err(api)?;
        let Some(access) = settings.public_access else {
            return none(
                "NoSuchPublicAccessBlockConfiguration",
                "The public access block configuration was not found",
                &bucket,
            );
        };
        Ok(GetPublicAccessBlockOutput {
            public_access_block_configuration: Some(PublicAccessBlockConfiguration {
                block_public_acls: Some(access.block_lists),
                ignore_public_acls: Some(access.ignore_lists),
                block_public_policy: Some(access.block_policies),
                restrict_public_buckets: Some(access.restrict_policies),
            }),
        })
    }
}

impl Handle<PutPublicAccessBlock> for S3 {
    async fn handle(
        &self,
        input: PutPublicAccessBlockRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let read = [&BODY[..], &["PublicAccessBlockConfiguration"]].concat();
        settings::check(&input, &read, context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let PublicAccessBlockConfiguration {
            block_public_acls,
            ignore_public_acls,
            block_public_policy,
            restrict_public_buckets,
        } = input.public_access_block_configuration;
        let access = PublicAccess {
            block_lists: block_public_acls == Some(true),
            ignore_lists: ignore_public_acls == Some(true),
            block_policies: block_public_policy == Some(true),
            restrict_policies: restrict_public_buckets == Some(true),
        };
        let set = self.store.set(&bucket, Setting::PublicAccess(Some(access)));
        set.await.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<DeletePublicAccessBlock> for S3 {
    async fn handle(
        &self,
        input: DeletePublicAccessBlockRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let set = self.store.set(&bucket, Setting::PublicAccess(None)).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn a_new_bucket_is_its_owners_and_closed_to_the_public() {
        let world = World::new().await;
        let bucket = || "bucket".to_owned();
        let ownership = async || {
            let input = GetBucketOwnershipControlsRequest {
                bucket: bucket(),
                ..Default::default()
            };
            let found = call::<GetBucketOwnershipControls>(&world.s3, input).await?;
            Ok::<_, ApiError>(
                found.ownership_controls.unwrap().rules[0]
                    .object_ownership
                    .clone(),
            )
        };
        assert_eq!(ownership().await.unwrap(), "BucketOwnerEnforced");
        let block = GetPublicAccessBlockRequest {
            bucket: bucket(),
            ..Default::default()
        };
        let block = call::<GetPublicAccessBlock>(&world.s3, block)
            .await
            .unwrap();
        let block = block.public_access_block_configuration.unwrap();
        assert_eq!(block.restrict_public_buckets, Some(true));
        let delete = DeleteBucketOwnershipControlsRequest {
            bucket: bucket(),
            ..Default::default()
        };
        let deleted = call::<DeleteBucketOwnershipControls>(&world.s3, delete).await;
        deleted.unwrap();
        let gone = ownership().await.unwrap_err();
        assert_eq!(gone.code(), "OwnershipControlsNotFoundError");
    }
}
