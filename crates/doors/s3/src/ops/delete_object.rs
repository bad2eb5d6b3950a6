//! DeleteObject.

use headwater_objects::{Delete, ObjectName, WriteCondition};
use headwater_shapes_s3::{DeleteObjectOutput, DeleteObjectRequest, ops::DeleteObject};
use headwater_wire::{ApiError, Context, Handle};

use crate::{S3, errors::api, settings};

impl Handle<DeleteObject> for S3 {
    async fn handle(
        &self,
        input: DeleteObjectRequest,
        context: &Context,
    ) -> Result<DeleteObjectOutput, ApiError> {
        settings::check(&input, &["If-Match", "versionId"], context)?;
        let delete = Delete {
            name: ObjectName::parse(&input.bucket, &input.key).map_err(api)?,
            version: input.version_id,
            condition: input
                .if_match
                .map_or(WriteCondition::None, WriteCondition::IfMatch),
        };
        let deleted = self.store.delete(&delete).await.map_err(api)?;
        Ok(DeleteObjectOutput {
            delete_marker: deleted.is_marker.then_some(true),
            version_id: deleted.version,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::{GetObjectRequest, ops::GetObject};

    use super::*;
    use crate::testing::{World, call};

    fn delete(version: Option<&str>) -> DeleteObjectRequest {
        DeleteObjectRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            version_id: version.map(str::to_owned),
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn a_marker_is_told_in_the_headers_of_errors() {
        let world = World::with_object("k", "x").await;
        world.enable_versions().await;
        let marked = call::<DeleteObject>(&world.s3, delete(None)).await.unwrap();
        let marker = marked.version_id.unwrap();
        assert_eq!(marked.delete_marker, Some(true));
        let get = |version: Option<&str>| GetObjectRequest {
            bucket: "bucket".into(),
            key: "k".into(),
            version_id: version.map(str::to_owned),
            ..Default::default()
        };
        for (version, status, code) in [
            (None, 404, "NoSuchKey"),
            (Some(&marker[..]), 405, "MethodNotAllowed"),
        ] {
            let refused = call::<GetObject>(&world.s3, get(version))
                .await
                .unwrap_err();
            assert_eq!((refused.status(), refused.code()), (status, code));
            let fields = refused.fields();
            assert_eq!(fields["header:x-amz-delete-marker"], "true");
            assert_eq!(fields["header:x-amz-version-id"], *marker);
            assert_eq!(fields.contains_key("header:Allow"), status == 405);
        }
        let invalid = call::<DeleteObject>(&world.s3, delete(Some("x"))).await;
        assert_eq!(
            invalid.unwrap_err().message(),
            "Invalid version id specified"
        );
        let removed = call::<DeleteObject>(&world.s3, delete(Some(&marker))).await;
        let removed = removed.unwrap();
        assert_eq!(
            (removed.delete_marker, removed.version_id),
            (Some(true), Some(marker.clone()))
        );
        let gone = call::<GetObject>(&world.s3, get(Some(&marker))).await;
        assert_eq!(gone.unwrap_err().code(), "NoSuchVersion");
        assert_eq!(world.read("k").await, "x");
    }
}
