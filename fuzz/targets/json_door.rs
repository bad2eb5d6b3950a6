//! Requests in AWS JSON and CBOR: decoding, validation with its error texts, and signatures.
#![no_main]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock};
use headwater_shapes::kinesis::{SERVICE, ops::*};
use headwater_wire::{Table, server::JsonDoor};
use libfuzzer_sys::fuzz_target;

static DOOR: LazyLock<JsonDoor> = LazyLock::new(|| {
    let table = Table::new(&SERVICE, Arc::new(Nobody))
        .route::<CreateChannel>()
        .route::<CreateStream>()
        .route::<GetShardIterator>()
        .route::<PutRecord>()
        .route::<PutRecords>()
        .route::<TagResource>();
    JsonDoor::new(table)
});

fuzz_target!(|data: &[u8]| knock(&*DOOR, data));
