//! Deliveries put objects.

use std::sync::Arc;

use async_trait::async_trait;
use headwater_delivery as delivery;
use headwater_delivery::{ObjectMeta, Objects, ObjectsError, limits::UPLOADS_SWEPT_MAX};
use headwater_objects::{
    Algorithm, Body, BucketName, Delete, Encryption, EncryptionMethod, Get, ObjectError,
    ObjectName, ObjectStore, Put, UploadQuery,
};

/// The object store of this server.
pub struct StoreObjects(pub Arc<dyn ObjectStore>);

#[async_trait]
impl Objects for StoreObjects {
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: delivery::ChunkStream,
        meta: ObjectMeta,
    ) -> Result<(), ObjectsError> {
        let mut put = Put::new(ObjectName::parse(bucket, key).map_err(to_delivery)?);
        let headers = &mut put.attributes.headers;
        headers.insert("content-type".into(), meta.content_type.into());
        headers.extend(
            meta.content_encoding
                .map(|value| ("content-encoding".into(), value.into())),
        );
        put.attributes.encryption = meta.encryption_key.map(|key| Encryption {
            method: EncryptionMethod::KeyService,
            key: Some(key),
            bucket_key: None,
        });
        // A store over a network is told what it should have got; what came otherwise, it refuses.
        put.expected.checksum = Some((Algorithm::Crc64Nvme, None));
        self.0
            .put(
                put,
                Body {
                    chunks: body,
                    len: None,
                },
            )
            .await
            .map(drop)
            .map_err(to_delivery)
    }

    async fn get(&self, bucket: &str, key: &str) -> Result<delivery::ChunkStream, ObjectsError> {
        let get = Get::new(ObjectName::parse(bucket, key).map_err(to_delivery)?);
        let (_, body) = self.0.get(&get).await.map_err(to_delivery)?;
        Ok(body.chunks)
    }

    async fn delete(&self, bucket: &str, key: &str) -> Result<(), ObjectsError> {
        let name = ObjectName::parse(bucket, key).map_err(to_delivery)?;
        let deleted = self.0.delete(&Delete::new(name)).await;
        deleted.map(drop).map_err(to_delivery)
    }

    async fn sweep(&self, bucket: &str, key: &str) -> Result<(), ObjectsError> {
        let name = ObjectName::parse(bucket, key).map_err(to_delivery)?;
        let bucket = BucketName::parse(bucket).map_err(to_delivery)?;
        let query = UploadQuery {
            bucket,
            prefix: key.to_owned(),
            delimiter: None,
            after: None,
            limit: UPLOADS_SWEPT_MAX,
        };
        let found = self.0.list_uploads(&query).await.map_err(to_delivery)?;
        for upload in found.uploads.into_iter().filter(|upload| upload.key == key) {
            tracing::info!(
                key,
                upload = upload.id,
                "aborting an upload that was cut short"
            );
            self.0
                .abort_upload(&name, &upload.id)
                .await
                .map_err(to_delivery)?;
        }
        Ok(())
    }

    async fn bucket_exists(&self, bucket: &str) -> Result<bool, ObjectsError> {
        let name = BucketName::parse(bucket).map_err(to_delivery)?;
        match self.0.bucket(&name).await {
            Ok(_) => Ok(true),
            Err(ObjectError::NoSuchBucket(_)) => Ok(false),
            Err(error) => Err(to_delivery(error)),
        }
    }
}

fn to_delivery(error: ObjectError) -> ObjectsError {
    match error {
        ObjectError::NoSuchBucket(bucket) | ObjectError::InvalidBucketName(bucket) => {
            ObjectsError::NoBucket(bucket)
        }
        other => ObjectsError::Failed(other.to_string()),
    }
}
