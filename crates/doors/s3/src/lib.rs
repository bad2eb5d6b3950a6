//! The s3 door: AWS's operations over the objects domain, one file an operation.
//!
//! Knows AWS's spelling of requests, answers and errors, and keeps no state. A setting that this door does not do is
//! refused by name ([`settings`]); bytes, names and conditions are the domain's.

mod attributes;
mod checksums;
mod copy;
mod encryption;
mod errors;
mod lifecycle;
mod limits;
mod listing;
#[cfg(test)]
mod members;
mod ops;
mod select;
mod settings;
mod tags;
#[cfg(test)]
mod testing;
mod times;
mod versions;

use std::sync::Arc;

use headwater_objects::ObjectStore;
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops::*;
use headwater_wire::{READS, Routes, Table, WRITES};

/// The service: every request runs on an object store.
pub struct S3 {
    /// Where buckets and objects are.
    pub store: Arc<dyn ObjectStore>,
}

/// The operations that are built; the others of the model are answered with an error that says so.
pub fn table(state: S3) -> Table {
    Routes::new(&s3::SERVICE, Arc::new(state))
        .route::<AbortMultipartUpload>(WRITES.data())
        .route::<CompleteMultipartUpload>(WRITES.data().action("s3:PutObject"))
        .route::<CopyObject>(WRITES.data().action("s3:PutObject"))
        .route::<CreateBucket>(WRITES)
        .route::<CreateMultipartUpload>(WRITES.data().action("s3:PutObject"))
        .route::<DeleteBucket>(WRITES)
        .route::<DeleteBucketLifecycle>(WRITES.action("s3:PutLifecycleConfiguration"))
        .route::<DeleteObject>(WRITES.data())
        .route::<DeleteObjectTagging>(WRITES.data())
        .route::<DeleteObjects>(WRITES.data().action("s3:DeleteObject"))
        .route::<GetBucketLifecycleConfiguration>(READS.action("s3:GetLifecycleConfiguration"))
        .route::<GetBucketLocation>(READS)
        .route::<GetBucketVersioning>(READS)
        .route::<GetObject>(READS.data())
        .route::<GetObjectTagging>(READS.data())
        .route::<HeadBucket>(READS.action("s3:ListBucket"))
        .route::<HeadObject>(READS.data().action("s3:GetObject"))
        .route::<ListBuckets>(READS.action("s3:ListAllMyBuckets"))
        .route::<ListMultipartUploads>(READS.data().action("s3:ListBucketMultipartUploads"))
        .route::<ListObjectVersions>(READS.data().action("s3:ListBucketVersions"))
        .route::<ListObjects>(READS.data().action("s3:ListBucket"))
        .route::<ListObjectsV2>(READS.data().action("s3:ListBucket"))
        .route::<ListParts>(READS.data().action("s3:ListMultipartUploadParts"))
        .route::<PutBucketLifecycleConfiguration>(WRITES.action("s3:PutLifecycleConfiguration"))
        .route::<PutBucketVersioning>(WRITES)
        .route::<PutObject>(WRITES.data())
        .route::<PutObjectTagging>(WRITES.data())
        .route::<UploadPart>(WRITES.data().action("s3:PutObject"))
        .route::<UploadPartCopy>(WRITES.data().action("s3:PutObject"))
        .build()
}
