//! GetBucketTagging, PutBucketTagging and DeleteBucketTagging.

use headwater_objects::Setting;
use headwater_shapes::Nothing;
use headwater_shapes_s3::{
    DeleteBucketTaggingRequest, GetBucketTaggingOutput, GetBucketTaggingRequest,
    PutBucketTaggingRequest,
    ops::{DeleteBucketTagging, GetBucketTagging, PutBucketTagging},
};
use headwater_wire::{ApiError, Context, Handle};

use super::bucket_without::none;
use crate::{
    S3,
    errors::api,
    settings::{self, BODY},
    tags,
};

impl Handle<GetBucketTagging> for S3 {
    async fn handle(
        &self,
        input: GetBucketTaggingRequest,
        context: &Context,
    ) -> Result<GetBucketTaggingOutput, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let found = self.store.settings(&bucket).await.map_err(api)?.tags;
        if found.is_empty() {
            return none("NoSuchTagSet", "The TagSet does not exist", &bucket);
        }
        Ok(GetBucketTaggingOutput {
            tag_set: tags::to_set(found),
        })
    }
}

impl Handle<PutBucketTagging> for S3 {
    async fn handle(
        &self,
        input: PutBucketTaggingRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[&BODY[..], &["Tagging"]].concat(), context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let tags = tags::of_bucket(input.tagging)?;
        let set = self.store.set(&bucket, Setting::Tags(tags)).await;
        set.map(|()| Nothing {}).map_err(api)
    }
}

impl Handle<DeleteBucketTagging> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketTaggingRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = self.bucket(&input.bucket).await?;
        let set = self.store.set(&bucket, Setting::Tags(Default::default()));
        set.await.map(|()| Nothing {}).map_err(api)
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{Tag, Tagging};

    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn a_bucket_without_tags_has_no_tag_set() {
        let world = World::new().await;
        let get = async || {
            let input = GetBucketTaggingRequest {
                bucket: "bucket".into(),
                ..Default::default()
            };
            call::<GetBucketTagging>(&world.s3, input).await
        };
        let put = async |tag_set: Vec<Tag>| {
            let input = PutBucketTaggingRequest {
                bucket: "bucket".into(),
                tagging: Tagging {
                    tag_set: Some(tag_set),
                },
                ..Default::default()
            };
            call::<PutBucketTagging>(&world.s3, input).await.unwrap();
        };
        assert_eq!(get().await.unwrap_err().code(), "NoSuchTagSet");
        let tags = vec![Tag {
            key: "a".into(),
            value: String::new(),
        }];
        put(tags.clone()).await;
        assert_eq!(get().await.unwrap().tag_set, tags);
        put(Vec::new()).await;
        assert_eq!(get().await.unwrap_err().code(), "NoSuchTagSet");
    }
}
