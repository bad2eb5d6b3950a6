//! HeadObject: GetObject without the body.

use headwater_objects::ObjectName;
use headwater_shapes_s3::{HeadObjectOutput, HeadObjectRequest, ops::HeadObject};
use headwater_wire::{ApiError, Context, Handle};

use super::get_object::{READ, describe, wanted};
use crate::{
    S3, attributes, checksums,
    errors::{api, quoted},
    select, settings, times,
};

impl Handle<HeadObject> for S3 {
    async fn handle(
        &self,
        input: HeadObjectRequest,
        context: &Context,
    ) -> Result<HeadObjectOutput, ApiError> {
        settings::check(&input, &READ, context)?;
        let name = ObjectName::parse(&input.bucket, &input.key).map_err(api)?;
        let wanted = wanted!(input);
        let get = wanted.of(name)?;
        let selected = self
            .store
            .head(&get)
            .await
            .map_err(|error| wanted.error(error))?;
        let mut output = HeadObjectOutput::default();
        describe!(output, input, get, selected, context);
        Ok(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, call};

    #[tokio::test]
    async fn a_head_is_that_of_the_object_or_the_range() {
        let world = World::with_object("k", "hello").await;
        let input = HeadObjectRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            ..Default::default()
        };
        let whole = call::<HeadObject>(&world.s3, input.clone()).await.unwrap();
        assert_eq!(
            (whole.content_length, whole.accept_ranges.as_deref()),
            (Some(5), Some("bytes"))
        );
        let range = HeadObjectRequest {
            range: Some("bytes=1-2".into()),
            ..input
        };
        let range = call::<HeadObject>(&world.s3, range).await.unwrap();
        assert_eq!(
            (range.content_length, range.content_range.as_deref()),
            (Some(2), Some("bytes 1-2/5"))
        );
    }
}
