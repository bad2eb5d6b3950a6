//! DeleteBucket.

use headwater_objects::BucketName;
use headwater_shapes::Nothing;
use headwater_shapes_s3::{DeleteBucketRequest, ops::DeleteBucket};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<DeleteBucket> for S3 {
    async fn handle(
        &self,
        input: DeleteBucketRequest,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        settings::check(&input, &[], context)?;
        let bucket = BucketName::parse(&input.bucket).map_err(api)?;
        self.store.delete_bucket(&bucket).await.map_err(api)?;
        Ok(Nothing {})
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn a_bucket_with_objects_stays() {
        let world = World::with_object("k", "x").await;
        let input = DeleteBucketRequest {
            bucket: "bucket".into(),
            ..Default::default()
        };
        let refused = call::<DeleteBucket>(&world.s3, input.clone())
            .await
            .unwrap_err();
        assert_eq!((refused.status(), refused.code()), (409, "BucketNotEmpty"));
        world.delete("k").await;
        call::<DeleteBucket>(&world.s3, input.clone())
            .await
            .unwrap();
        let gone = call::<DeleteBucket>(&world.s3, input).await.unwrap_err();
        assert_eq!((gone.status(), gone.code()), (404, "NoSuchBucket"));
    }
}
