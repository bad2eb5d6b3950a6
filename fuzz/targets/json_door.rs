//! Requests in AWS JSON and CBOR: decoding, validation with its error texts, and signatures.
#![no_main]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock};
use headwater_shapes::{firehose, glue, kinesis};
use headwater_wire::{Table, server::JsonDoor};
use libfuzzer_sys::fuzz_target;

static DOORS: LazyLock<[JsonDoor; 3]> = LazyLock::new(|| {
    let nobody = Arc::new(Nobody);
    let kinesis = Table::new(&kinesis::SERVICE, nobody.clone())
        .route::<kinesis::ops::CreateChannel>()
        .route::<kinesis::ops::CreateStream>()
        .route::<kinesis::ops::GetShardIterator>()
        .route::<kinesis::ops::PutRecord>()
        .route::<kinesis::ops::PutRecords>()
        .route::<kinesis::ops::SubscribeToShard>()
        .route::<kinesis::ops::TagResource>();
    let firehose = Table::new(&firehose::SERVICE, nobody.clone())
        .route::<firehose::ops::CreateDeliveryStream>()
        .route::<firehose::ops::PutRecordBatch>();
    let glue = Table::new(&glue::SERVICE, nobody).route::<glue::ops::CreateTable>();
    [JsonDoor::new(kinesis), JsonDoor::new(firehose), JsonDoor::new(glue)]
});

fuzz_target!(|data: &[u8]| DOORS.iter().for_each(|door| knock(door, data)));
