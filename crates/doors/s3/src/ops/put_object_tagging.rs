//! PutObjectTagging.

use headwater_objects::ObjectName;
use headwater_shapes_s3::{PutObjectTaggingOutput, PutObjectTaggingRequest, ops::PutObjectTagging};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings, tags, versions};

const READ: [&str; 4] = [
    "Tagging",
    "Content-MD5",
    "versionId",
    "x-amz-sdk-checksum-algorithm",
];

impl Handle<PutObjectTagging> for S3 {
    async fn handle(
        &self,
        input: PutObjectTaggingRequest,
        context: &Context,
    ) -> Result<PutObjectTaggingOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let (tags, version) = (tags::from_set(input.tagging)?, input.version_id.as_deref());
        let set = self.store.set_tags(&name, version, tags).await;
        Ok(PutObjectTaggingOutput {
            version_id: set.map_err(versions::of_tags("PUT"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{
        DeleteObjectTaggingRequest, GetObjectTaggingRequest, Tag, Tagging,
        ops::{DeleteObjectTagging, GetObjectTagging},
    };

    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn tags_are_replaced_read_and_removed() {
        let world = World::with_object("k", "x").await;
        let (bucket, key) = ("bucket".to_owned(), "k".to_owned());
        let tag_set = vec![Tag {
            key: "a".into(),
            value: "b".into(),
        }];
        let put = PutObjectTaggingRequest {
            bucket: bucket.clone(),
            key: key.clone(),
            tagging: Tagging {
                tag_set: Some(tag_set.clone()),
            },
            ..Default::default()
        };
        call::<PutObjectTagging>(&world.s3, put).await.unwrap();
        let get = GetObjectTaggingRequest {
            bucket: bucket.clone(),
            key: key.clone(),
            ..Default::default()
        };
        let found = call::<GetObjectTagging>(&world.s3, get.clone())
            .await
            .unwrap();
        assert_eq!(found.tag_set, tag_set);
        let delete = DeleteObjectTaggingRequest {
            bucket,
            key,
            ..Default::default()
        };
        call::<DeleteObjectTagging>(&world.s3, delete)
            .await
            .unwrap();
        assert!(
            call::<GetObjectTagging>(&world.s3, get)
                .await
                .unwrap()
                .tag_set
                .is_empty()
        );
    }
}
