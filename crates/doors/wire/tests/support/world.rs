//! Two services with small handlers, for tests of both halves of the protocols.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use headwater_shapes::{Blob, ByteStream, Timestamp};
use headwater_shapes_lambda as lambda;
use headwater_shapes_s3 as s3;
use headwater_wire::{ApiError, Context, Handle, READS, Routes, Table, WRITES};

struct World;

impl Handle<s3::ops::ListBuckets> for World {
    async fn handle(
        &self,
        _: s3::ListBucketsRequest,
        _: &Context,
    ) -> Result<s3::ListBucketsOutput, ApiError> {
        let bucket = s3::Bucket {
            name: Some("taxi".into()),
            creation_date: Some(Timestamp(1_700_000_000_000)),
            ..Default::default()
        };
        let owner = s3::Owner {
            id: Some("0".into()),
            ..Default::default()
        };
        Ok(s3::ListBucketsOutput {
            buckets: Some(vec![bucket]),
            owner: Some(owner),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::ListObjectsV2> for World {
    async fn handle(
        &self,
        input: s3::ListObjectsV2Request,
        _: &Context,
    ) -> Result<s3::ListObjectsV2Output, ApiError> {
        let object = s3::Object {
            key: Some("a&<b>\r\u{1}".into()),
            last_modified: Some(Timestamp(1_700_000_000_123)),
            e_tag: Some("\"x\"".into()),
            checksum_algorithm: Some(vec!["CRC32".into(), "SHA1".into()]),
            size: Some(3),
            ..Default::default()
        };
        let prefix = s3::CommonPrefix {
            prefix: Some("p/".into()),
        };
        Ok(s3::ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(input.prefix.unwrap_or_default()),
            delimiter: input.delimiter,
            max_keys: Some(input.max_keys.unwrap_or(1000)),
            key_count: Some(2),
            is_truncated: Some(false),
            contents: Some(vec![object]),
            common_prefixes: Some(vec![prefix]),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::GetBucketLocation> for World {
    async fn handle(
        &self,
        input: s3::GetBucketLocationRequest,
        _: &Context,
    ) -> Result<s3::GetBucketLocationOutput, ApiError> {
        let region = (input.bucket == "far").then(|| "eu-west-1".to_owned());
        Ok(s3::GetBucketLocationOutput {
            location_constraint: region,
        })
    }
}

impl Handle<s3::ops::CompleteMultipartUpload> for World {
    async fn handle(
        &self,
        input: s3::CompleteMultipartUploadRequest,
        _: &Context,
    ) -> Result<s3::CompleteMultipartUploadOutput, ApiError> {
        let parts = input
            .multipart_upload
            .and_then(|upload| upload.parts)
            .unwrap_or_default();
        let numbers: Vec<_> = parts
            .iter()
            .map(|p| format!("{}{}", p.part_number.unwrap(), p.e_tag.clone().unwrap()))
            .collect();
        Ok(s3::CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: Some(numbers.join("+")),
            version_id: Some(input.upload_id),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::DeleteObjects> for World {
    async fn handle(
        &self,
        input: s3::DeleteObjectsRequest,
        _: &Context,
    ) -> Result<s3::DeleteObjectsOutput, ApiError> {
        let deleted = |object: s3::ObjectIdentifier| s3::DeletedObject {
            key: Some(object.key),
            ..Default::default()
        };
        let deleted = input.delete.objects.into_iter().map(deleted).collect();
        Ok(s3::DeleteObjectsOutput {
            deleted: Some(deleted),
            ..Default::default()
        })
    }
}

/// Says in its answer what it was given.
impl Handle<s3::ops::PutObject> for World {
    async fn handle(
        &self,
        input: s3::PutObjectRequest,
        _: &Context,
    ) -> Result<s3::PutObjectOutput, ApiError> {
        let body: Vec<Bytes> = input.body.chunks.try_collect().await.map_err(|error| {
            headwater_wire::body_error(&error).unwrap_or_else(|| ApiError::internal(error))
        })?;
        let said = format!(
            "{}/{} {:?} {:?} {:?} {:?} {}",
            input.bucket.escape_debug(),
            input.key.escape_debug(),
            input.content_encoding,
            input.content_length,
            input.checksum_algorithm,
            input.metadata,
            String::from_utf8_lossy(&body.concat()).escape_default()
        );
        Ok(s3::PutObjectOutput {
            e_tag: Some(said),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::GetObject> for World {
    async fn handle(
        &self,
        input: s3::GetObjectRequest,
        _: &Context,
    ) -> Result<s3::GetObjectOutput, ApiError> {
        if input.if_modified_since == Some(Timestamp(1_445_412_480_000)) {
            return Err(ApiError::new(304, "NotModified", "Not Modified").with("ETag", "\"x\""));
        }
        let range = input.range.map(|_| "bytes 0-1/2".to_owned());
        Ok(s3::GetObjectOutput {
            body: ByteStream::from_bytes(Bytes::from_static(b"hi")),
            last_modified: Some(Timestamp(1_445_412_480_000)),
            content_range: range,
            metadata: Some([("color".to_owned(), "red".to_owned())].into()),
            ..Default::default()
        })
    }
}

impl Handle<s3::ops::HeadObject> for World {
    async fn handle(
        &self,
        input: s3::HeadObjectRequest,
        _: &Context,
    ) -> Result<s3::HeadObjectOutput, ApiError> {
        if input.key == "missing" {
            return Err(
                ApiError::new(404, "NoSuchKey", "The specified key does not exist.")
                    .with("Key", "missing"),
            );
        }
        Ok(s3::HeadObjectOutput {
            content_length: Some(7),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::Invoke> for World {
    async fn handle(
        &self,
        input: lambda::InvocationRequest,
        _: &Context,
    ) -> Result<lambda::InvocationResponse, ApiError> {
        if input.function_name == "none" {
            return Err(ApiError::new(
                404,
                "ResourceNotFoundException",
                "Function not found: none",
            ));
        }
        let status = if input.invocation_type.as_deref() == Some("Event") {
            202
        } else {
            200
        };
        let payload = input.payload.unwrap_or_default();
        let echo = [b"\"", &payload.0[..], b"\xff\""].concat();
        Ok(lambda::InvocationResponse {
            status_code: Some(status),
            payload: Some(Blob(echo.into())),
            executed_version: Some("$LATEST".into()),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::ListFunctions> for World {
    async fn handle(
        &self,
        input: lambda::ListFunctionsRequest,
        _: &Context,
    ) -> Result<lambda::ListFunctionsResponse, ApiError> {
        let function = lambda::FunctionConfiguration {
            function_name: input.marker,
            timeout: input.max_items,
            ..Default::default()
        };
        Ok(lambda::ListFunctionsResponse {
            functions: Some(vec![function]),
            ..Default::default()
        })
    }
}

impl Handle<lambda::ops::DeleteFunction> for World {
    async fn handle(
        &self,
        _: lambda::DeleteFunctionRequest,
        _: &Context,
    ) -> Result<lambda::DeleteFunctionResponse, ApiError> {
        Ok(lambda::DeleteFunctionResponse {
            status_code: Some(204),
        })
    }
}

pub fn s3_table() -> Table {
    Routes::new(&s3::SERVICE, Arc::new(World))
        .route::<s3::ops::ListBuckets>(READS)
        .route::<s3::ops::ListObjectsV2>(READS)
        .route::<s3::ops::GetBucketLocation>(READS)
        .route::<s3::ops::CompleteMultipartUpload>(WRITES)
        .route::<s3::ops::DeleteObjects>(WRITES)
        .route::<s3::ops::PutObject>(WRITES)
        .route::<s3::ops::GetObject>(READS)
        .route::<s3::ops::HeadObject>(READS)
        .build()
}

pub fn lambda_table() -> Table {
    Routes::new(&lambda::SERVICE, Arc::new(World))
        .route::<lambda::ops::Invoke>(WRITES)
        .route::<lambda::ops::ListFunctions>(READS)
        .route::<lambda::ops::DeleteFunction>(WRITES)
        .build()
}
