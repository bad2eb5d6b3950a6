//! DeleteObjects.

use futures_util::{StreamExt, stream};
use headwater_objects::{Delete, Deleted, ObjectError, ObjectName, WriteCondition};
use headwater_shapes_s3::{
    self as shapes, DeleteObjectsOutput, DeleteObjectsRequest, DeletedObject, Error,
    ObjectIdentifier, ops::DeleteObjects,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    S3,
    errors::{api, malformed_xml},
    limits::{DELETE_AT_ONCE, DELETE_MAX},
    settings,
};

impl Handle<DeleteObjects> for S3 {
    async fn handle(
        &self,
        input: DeleteObjectsRequest,
        context: &Context,
    ) -> Result<DeleteObjectsOutput, ApiError> {
        settings::check(&input, &["Delete", "x-amz-sdk-checksum-algorithm"], context)?;
        let shapes::Delete { objects, quiet } = input.delete;
        if objects.is_empty() || objects.len() > DELETE_MAX {
            return Err(malformed_xml());
        }
        let bucket = headwater_objects::BucketName::parse(&input.bucket).map_err(api)?;
        self.store.bucket(&bucket).await.map_err(api)?;
        let results = stream::iter(objects)
            .map(|object| self.delete_one(&input.bucket, object))
            .buffered(DELETE_AT_ONCE);
        let results: Vec<_> = results.collect().await;
        let (mut deleted, mut errors) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(object) => deleted.push(object),
                Err(error) => errors.push(error),
            }
        }
        if quiet == Some(true) {
            deleted.clear();
        }
        Ok(DeleteObjectsOutput {
            deleted: (!deleted.is_empty()).then_some(deleted),
            errors: (!errors.is_empty()).then_some(errors),
            ..Default::default()
        })
    }
}

impl S3 {
    async fn delete_one(
        &self,
        bucket: &str,
        object: ObjectIdentifier,
    ) -> Result<DeletedObject, Error> {
        let (key, version) = (object.key.clone(), object.version_id.clone());
        let done = async {
            let delete = delete_of(bucket, object)?;
            self.store.delete(&delete).await.map_err(of_version)
        };
        match done.await {
            Ok(deleted) => Ok(told(key, version, deleted)),
            Err(error) => Err(Error {
                key: Some(key),
                code: Some(error.code().to_owned()),
                message: Some(error.message().to_owned()),
                version_id: version,
            }),
        }
    }
}

/// An id that is none is one of no version here, unlike in a request for one object.
fn of_version(error: ObjectError) -> ApiError {
    match error {
        ObjectError::InvalidVersion(_) => ApiError::new(
            404,
            "NoSuchVersion",
            "The specified version does not exist.",
        ),
        error => api(error),
    }
}

/// The answer for an object, or the `version` of it that was named.
fn told(key: String, version: Option<String>, deleted: Deleted) -> DeletedObject {
    DeletedObject {
        key: Some(key),
        delete_marker: deleted.is_marker.then_some(true),
        delete_marker_version_id: deleted.version.filter(|_| deleted.is_marker),
        version_id: version,
    }
}

fn delete_of(bucket: &str, object: ObjectIdentifier) -> Result<Delete, ApiError> {
    let ObjectIdentifier {
        key,
        version_id,
        e_tag,
        last_modified_time,
        size,
    } = object;
    if last_modified_time.is_some() || size.is_some() {
        return Err(settings::unsupported(
            "deleting by LastModifiedTime or Size",
        ));
    }
    let condition = e_tag.map_or(WriteCondition::None, WriteCondition::IfMatch);
    Ok(Delete {
        name: ObjectName::parse(bucket, &key).map_err(api)?,
        version: version_id,
        condition,
    })
}

#[cfg(test)]
mod tests {
    use headwater_shapes_s3::Delete as Body;

    use super::*;
    use crate::testing::{World, call};

    fn delete(keys: &[&str], quiet: bool) -> DeleteObjectsRequest {
        let object = |key: &&str| ObjectIdentifier {
            key: (*key).to_owned(),
            ..Default::default()
        };
        let delete = Body {
            objects: keys.iter().map(object).collect(),
            quiet: Some(quiet),
        };
        DeleteObjectsRequest {
            bucket: "bucket".into(),
            delete,
            ..Default::default()
        }
    }

    #[tokio::test]
    async fn each_object_has_its_own_answer() {
        let world = World::with_object("a", "x").await;
        let long = "k".repeat(1025);
        let output = call::<DeleteObjects>(&world.s3, delete(&["a", "missing", &long], false))
            .await
            .unwrap();
        let keys: Vec<_> = output
            .deleted
            .unwrap()
            .into_iter()
            .filter_map(|object| object.key)
            .collect();
        assert_eq!(keys, ["a", "missing"]);
        assert_eq!(
            output.errors.unwrap()[0].code.as_deref(),
            Some("KeyTooLongError")
        );
        assert!(world.keys().await.is_empty());
        let quiet = call::<DeleteObjects>(&world.s3, delete(&["a"], true))
            .await
            .unwrap();
        assert_eq!(quiet, DeleteObjectsOutput::default());
    }

    #[tokio::test]
    async fn a_request_has_1_to_1000_objects() {
        let world = World::with_object("a", "x").await;
        for keys in [vec![], vec!["a"; 1001]] {
            let refused = call::<DeleteObjects>(&world.s3, delete(&keys, false))
                .await
                .unwrap_err();
            assert_eq!(refused.code(), "MalformedXML");
        }
    }
}
