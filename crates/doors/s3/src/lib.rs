//! The s3 door: AWS's operations over the objects domain, one file an operation.
//!
//! Knows AWS's spelling of requests, answers and errors, and keeps no state. What a request asks for and this door
//! does not do is refused by name ([`settings`]); bytes, names and conditions are the domain's.

mod attributes;
mod checksums;
mod copy;
mod encryption;
mod errors;
mod limits;
mod listing;
mod ops;
mod select;
mod settings;
mod tags;
#[cfg(test)]
mod testing;
mod times;

use std::sync::Arc;

use headwater_objects::ObjectStore;
use headwater_shapes::s3::{self, ops::*};
use headwater_wire::Table;

/// The service: every request runs on an object store.
pub struct S3 {
    /// Where buckets and objects are.
    pub store: Arc<dyn ObjectStore>,
}

/// The operations that are built; the others of the model are answered with an error that says so.
pub fn table(state: S3) -> Table<S3> {
    Table::new(&s3::SERVICE, Arc::new(state))
        .route::<AbortMultipartUpload>()
        .route::<CompleteMultipartUpload>()
        .route::<CopyObject>()
        .route::<CreateBucket>()
        .route::<CreateMultipartUpload>()
        .route::<DeleteBucket>()
        .route::<DeleteObject>()
        .route::<DeleteObjectTagging>()
        .route::<DeleteObjects>()
        .route::<GetBucketLocation>()
        .route::<GetBucketVersioning>()
        .route::<GetObject>()
        .route::<GetObjectTagging>()
        .route::<HeadBucket>()
        .route::<HeadObject>()
        .route::<ListBuckets>()
        .route::<ListMultipartUploads>()
        .route::<ListObjects>()
        .route::<ListObjectsV2>()
        .route::<ListParts>()
        .route::<PutObject>()
        .route::<PutObjectTagging>()
        .route::<UploadPart>()
        .route::<UploadPartCopy>()
}
