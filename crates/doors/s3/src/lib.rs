//! The s3 door: AWS's operations over the objects domain, one file an operation.
//!
//! Knows AWS's spelling of requests, answers and errors, and keeps no state. A setting that this door does not do is
//! refused by name ([`settings`]); bytes, names and conditions are the domain's.

mod acl;
mod attributes;
mod checksums;
mod copy;
mod cors;
mod encryption;
mod errors;
mod form;
mod lifecycle;
mod limits;
mod listing;
#[cfg(test)]
mod members;
mod ops;
mod rfc2047;
mod select;
mod settings;
mod storage_class;
mod tags;
#[cfg(test)]
mod testing;
mod times;
mod versions;

use std::sync::Arc;

use headwater_env::Clock;
use headwater_objects::ObjectStore;
use headwater_shapes_s3 as s3;
use headwater_shapes_s3::ops::*;
use headwater_wire::{READS, Routes, Table, WRITES};

/// The service: every request runs on an object store.
pub struct S3 {
    /// Where buckets and objects are.
    pub store: Arc<dyn ObjectStore>,
    /// The time, until when forms may be posted.
    pub clock: Arc<dyn Clock>,
}

/// The operations that are built; the others of the model are answered with an error that says so.
pub fn table(state: S3) -> Table {
    Routes::new(&s3::SERVICE, Arc::new(state))
        .route::<AbortMultipartUpload>(WRITES.data())
        .route::<CompleteMultipartUpload>(
            WRITES
                .data()
                .action("s3:PutObject")
                .refuses(encryption::METHOD),
        )
        .route::<CopyObject>(WRITES.data().action("s3:PutObject"))
        .route::<CreateBucket>(WRITES)
        .route::<CreateMultipartUpload>(WRITES.data().action("s3:PutObject"))
        .route::<DeleteBucket>(WRITES)
        .route::<DeleteBucketLifecycle>(WRITES.action("s3:PutLifecycleConfiguration"))
        .route::<DeleteBucketAnalyticsConfiguration>(WRITES.action("s3:PutAnalyticsConfiguration"))
        .route::<DeleteBucketCors>(WRITES.action("s3:PutBucketCORS"))
        .route::<DeleteBucketEncryption>(WRITES.action("s3:PutEncryptionConfiguration"))
        .route::<DeleteBucketIntelligentTieringConfiguration>(
            WRITES.action("s3:PutIntelligentTieringConfiguration"),
        )
        .route::<DeleteBucketInventoryConfiguration>(WRITES.action("s3:PutInventoryConfiguration"))
        .route::<DeleteBucketMetricsConfiguration>(WRITES.action("s3:PutMetricsConfiguration"))
        .route::<DeleteBucketOwnershipControls>(WRITES.action("s3:PutBucketOwnershipControls"))
        .route::<DeleteBucketPolicy>(WRITES)
        .route::<DeleteBucketReplication>(WRITES.action("s3:PutReplicationConfiguration"))
        .route::<DeleteBucketTagging>(WRITES.action("s3:PutBucketTagging"))
        .route::<DeleteBucketWebsite>(WRITES)
        .route::<DeleteObject>(WRITES.data())
        .route::<DeleteObjectTagging>(WRITES.data())
        .route::<DeleteObjects>(WRITES.data().action("s3:DeleteObject"))
        .route::<GetBucketLifecycleConfiguration>(READS.action("s3:GetLifecycleConfiguration"))
        .route::<DeletePublicAccessBlock>(WRITES.action("s3:PutBucketPublicAccessBlock"))
        .route::<GetBucketAccelerateConfiguration>(READS.action("s3:GetAccelerateConfiguration"))
        .route::<GetBucketAcl>(READS)
        .route::<GetBucketAnalyticsConfiguration>(READS.action("s3:GetAnalyticsConfiguration"))
        .route::<GetBucketCors>(READS.action("s3:GetBucketCORS"))
        .route::<GetBucketEncryption>(READS.action("s3:GetEncryptionConfiguration"))
        .route::<GetBucketIntelligentTieringConfiguration>(
            READS.action("s3:GetIntelligentTieringConfiguration"),
        )
        .route::<GetBucketInventoryConfiguration>(READS.action("s3:GetInventoryConfiguration"))
        .route::<GetBucketLocation>(READS)
        .route::<GetBucketLogging>(READS)
        .route::<GetBucketMetricsConfiguration>(READS.action("s3:GetMetricsConfiguration"))
        .route::<GetBucketNotificationConfiguration>(READS.action("s3:GetBucketNotification"))
        .route::<GetBucketOwnershipControls>(READS)
        .route::<GetBucketPolicy>(READS)
        .route::<GetBucketPolicyStatus>(READS)
        .route::<GetBucketReplication>(READS.action("s3:GetReplicationConfiguration"))
        .route::<GetBucketRequestPayment>(READS)
        .route::<GetBucketTagging>(READS)
        .route::<GetBucketVersioning>(READS)
        .route::<GetBucketWebsite>(READS)
        .route::<GetObject>(READS.data().refuses(encryption::METHOD))
        .route::<GetObjectAcl>(READS.data())
        .route::<GetObjectAttributes>(READS.data())
        .route::<GetObjectLegalHold>(READS.data())
        .route::<GetObjectLockConfiguration>(READS.action("s3:GetBucketObjectLockConfiguration"))
        .route::<GetObjectRetention>(READS.data())
        .route::<GetObjectTagging>(READS.data())
        .route::<GetPublicAccessBlock>(READS.action("s3:GetBucketPublicAccessBlock"))
        .route::<HeadBucket>(READS.data().action("s3:ListBucket"))
        .route::<HeadObject>(
            READS
                .data()
                .action("s3:GetObject")
                .refuses(encryption::METHOD),
        )
        .route::<ListBucketAnalyticsConfigurations>(READS.action("s3:GetAnalyticsConfiguration"))
        .route::<ListBucketIntelligentTieringConfigurations>(
            READS.action("s3:GetIntelligentTieringConfiguration"),
        )
        .route::<ListBucketInventoryConfigurations>(READS.action("s3:GetInventoryConfiguration"))
        .route::<ListBucketMetricsConfigurations>(READS.action("s3:GetMetricsConfiguration"))
        .route::<ListBuckets>(READS.action("s3:ListAllMyBuckets"))
        .route::<ListMultipartUploads>(READS.action("s3:ListBucketMultipartUploads"))
        .route::<ListObjectVersions>(READS.data().action("s3:ListBucketVersions"))
        .route::<ListObjects>(READS.data().action("s3:ListBucket"))
        .route::<ListObjectsV2>(READS.data().action("s3:ListBucket"))
        .route::<ListParts>(READS.data().action("s3:ListMultipartUploadParts"))
        .route::<PutBucketLifecycleConfiguration>(WRITES.action("s3:PutLifecycleConfiguration"))
        .route::<PutBucketVersioning>(WRITES)
        .route::<PostObject>(WRITES.data().signed_within().action("s3:PutObject"))
        .route::<PutBucketAccelerateConfiguration>(WRITES.action("s3:PutAccelerateConfiguration"))
        .route::<PutBucketAcl>(WRITES)
        .route::<PutBucketCors>(WRITES.action("s3:PutBucketCORS"))
        .route::<PutBucketEncryption>(WRITES.action("s3:PutEncryptionConfiguration"))
        .route::<PutBucketLogging>(WRITES)
        .route::<PutBucketNotificationConfiguration>(WRITES.action("s3:PutBucketNotification"))
        .route::<PutBucketOwnershipControls>(WRITES)
        .route::<PutBucketRequestPayment>(WRITES)
        .route::<PutBucketTagging>(WRITES)
        .route::<PutObject>(WRITES.data())
        .route::<PutObjectAcl>(WRITES.data())
        .route::<PutObjectTagging>(WRITES.data())
        .route::<PutPublicAccessBlock>(WRITES.action("s3:PutBucketPublicAccessBlock"))
        .route::<UploadPart>(WRITES.data().action("s3:PutObject"))
        .route::<UploadPartCopy>(WRITES.data().action("s3:PutObject"))
        .cross_origin()
        .build()
}
