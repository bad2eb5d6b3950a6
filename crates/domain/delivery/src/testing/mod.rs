//! In-memory stand-ins for what a delivery needs of others, which fail and crash on demand.

mod crashes;
mod fuse;
mod hang_up;
mod log;
mod objects;
mod scenarios;
mod web;
mod world;

use std::collections::BTreeMap;

use headwater_types::{Account, Arn, Millis, Region};

pub use fuse::{Fuse, Side};
pub use hang_up::hang_up_after;
pub use headwater_reading::testing::{FakeSource, number};
pub use log::MemoryLog;
pub use objects::{FakeObjects, FusedObjects, PutFault};
pub use web::{FakeWeb, JumpingClock, json};
pub use world::{FunctionCall, World};

use crate::config::{
    Buffering, Compression, Destination, Function, NewOrigin, Origin, Step, StreamRecord,
};
use crate::deliveries::NewStream;

/// An ARN in the test's account.
pub fn arn(service: &str, resource: &str) -> Arn {
    Arn::new(
        service,
        &Region("us-east-1".into()),
        &Account("000000000000".into()),
        resource,
    )
}

/// A plain destination.
pub fn destination() -> Destination {
    Destination {
        bucket: "bucket".into(),
        role: "role".into(),
        prefix: Some("data/".into()),
        error_prefix: None,
        time_zone: None,
        key_template: None,
        target: crate::Target::Bucket,
        error_bucket: None,
        encryption_key: None,
        steps: Vec::new(),
        is_partitioned: false,
        partition_retry_s: 300,
        conversion: None,
        backup: None,
        extension: None,
        buffering: Buffering {
            size_mib: 1,
            interval_s: 60,
        },
        compression: Compression::None,
        logging: None,
    }
}

/// An item of one record.
pub fn item(data: impl Into<bytes::Bytes>) -> crate::Item {
    let record = crate::UserRecord {
        shard: "shard".into(),
        sequence_number: number(0, 0),
        sub: 0,
        partition_key: "key".into(),
        data: data.into(),
        arrival: Millis(7),
    };
    crate::records::Outcome::of(vec![record]).items.remove(0)
}

/// A function that is called with groups of `batch_bytes`.
pub fn function(batch_bytes: usize, retries: u32) -> Vec<Step> {
    vec![Step::Function(Function {
        arn: arn("lambda", "function:f"),
        retries,
        batch_bytes,
        interval_s: 60,
    })]
}

/// A delivery stream that reads `stream/source`.
pub fn stream(name: &str) -> StreamRecord {
    StreamRecord {
        name: name.into(),
        arn: arn("firehose", &format!("deliverystream/{name}")),
        id: "id".into(),
        created: Millis(1_500_000_000_000),
        updated: None,
        version: 1,
        origin: Origin::Stream {
            arn: arn("kinesis", "stream/source"),
            role: "role".into(),
            identity: "first".into(),
        },
        destination: destination(),
        description: serde_json::Value::Null,
        tags: BTreeMap::new(),
        encryption: None,
        encryption_changes: Vec::new(),
    }
}

/// A delivery stream to be made that reads `stream/source`.
pub fn new_stream(name: &str, destination: Destination) -> NewStream {
    NewStream {
        name: name.into(),
        id: format!("id of {name}"),
        arn: arn("firehose", &format!("deliverystream/{name}")),
        origin: NewOrigin::Stream {
            arn: arn("kinesis", "stream/source"),
            role: "role".into(),
        },
        destination,
        description: serde_json::Value::Null,
        tags: BTreeMap::new(),
        encryption: None,
    }
}
