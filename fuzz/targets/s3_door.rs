//! Requests in REST-XML: addresses, headers, XML, chunked framing, checksums and signatures.
#![no_main]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock, pipelines};
use headwater_shapes_s3::{SERVICE, ops::*};
use headwater_wire::{Pipeline, READS, Routes, Table};
use libfuzzer_sys::fuzz_target;

static PIPELINES: LazyLock<[Pipeline; 2]> = LazyLock::new(|| pipelines(table));

fn table() -> Table {
    Routes::new(&SERVICE, Arc::new(Nobody))
        .route::<CompleteMultipartUpload>(READS)
        .route::<CopyObject>(READS)
        .route::<CreateBucket>(READS)
        .route::<DeleteObjects>(READS)
        .route::<GetObject>(READS)
        .route::<ListObjectsV2>(READS)
        .route::<PutObject>(READS)
        .route::<PutObjectTagging>(READS)
        .route::<UploadPart>(READS)
        .build()
}

fuzz_target!(|data: &[u8]| knock(&PIPELINES, data));
