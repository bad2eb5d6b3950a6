//! Requests in REST-XML: addresses, headers, XML, chunked framing, checksums and signatures.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock, pipelines, target};
use headwater_shapes_s3::{SERVICE, ops::*};
use headwater_wire::{Pipeline, READS, Routes, Table};

static PIPELINES: LazyLock<[Pipeline; 2]> = LazyLock::new(|| pipelines(table));

fn table() -> Table {
    Routes::new(&SERVICE, Arc::new(Nobody))
        .route::<CompleteMultipartUpload>(READS)
        .route::<CopyObject>(READS)
        .route::<CreateBucket>(READS)
        .route::<DeleteObjects>(READS)
        .route::<GetObject>(READS)
        .route::<ListObjectsV2>(READS)
        .route::<PutBucketAcl>(READS)
        .route::<PutBucketCors>(READS)
        .route::<PutObject>(READS)
        .route::<PutObjectTagging>(READS)
        .route::<UploadPart>(READS)
        .build()
}

target!(|data: &[u8]| knock(&PIPELINES, data));
