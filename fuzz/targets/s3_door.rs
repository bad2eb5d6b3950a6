//! Requests in REST-XML: addresses, headers, XML, chunked framing, checksums and signatures.
#![no_main]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock};
use headwater_shapes::s3::{SERVICE, ops::*};
use headwater_wire::{Rest, Table};
use libfuzzer_sys::fuzz_target;

static DOOR: LazyLock<Rest<Nobody>> = LazyLock::new(|| {
    let table = Table::new(&SERVICE, Arc::new(Nobody))
        .route::<CompleteMultipartUpload>()
        .route::<CopyObject>()
        .route::<CreateBucket>()
        .route::<DeleteObjects>()
        .route::<GetObject>()
        .route::<ListObjectsV2>()
        .route::<PutObject>()
        .route::<PutObjectTagging>()
        .route::<UploadPart>();
    Rest::new(table).with_virtual_hosts(["localhost".to_owned()])
});

fuzz_target!(|data: &[u8]| knock(&*DOOR, data));
