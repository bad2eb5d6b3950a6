//! Requests in AWS JSON and CBOR: decoding, validation with its error texts, and signatures.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock, pipelines, target};
use headwater_shapes_kinesis::{SERVICE, ops::*};
use headwater_wire::{Pipeline, READS, Routes, Table};

static PIPELINES: LazyLock<[Pipeline; 2]> = LazyLock::new(|| pipelines(table));

fn table() -> Table {
    Routes::new(&SERVICE, Arc::new(Nobody))
        .route::<CreateChannel>(READS)
        .route::<CreateStream>(READS)
        .route::<GetShardIterator>(READS)
        .direct::<PutRecord>(READS)
        .direct::<PutRecords>(READS)
        .route::<TagResource>(READS)
        .build()
}

target!(|data: &[u8]| knock(&PIPELINES, data));
