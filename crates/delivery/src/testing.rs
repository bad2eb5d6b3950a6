//! In-memory stand-ins for what a delivery needs of others, which fail on demand.

use std::collections::BTreeMap;

use headwater_types::{Account, Arn, Millis, Region};

use crate::config::{Buffering, Compression, Destination, Origin, StreamRecord};

/// An ARN in the test's account.
pub fn arn(service: &str, resource: &str) -> Arn {
    Arn::new(service, &Region("us-east-1".into()), &Account("000000000000".into()), resource)
}

/// A plain destination.
pub fn destination() -> Destination {
    Destination {
        bucket: "bucket".into(),
        role: "role".into(),
        prefix: Some("data/".into()),
        error_prefix: None,
        time_zone: None,
        extension: None,
        buffering: Buffering { size_mib: 1, interval_s: 60 },
        compression: Compression::None,
        function: None,
        logging: None,
        described: serde_json::Value::Null,
    }
}

/// A delivery stream that reads `stream/source`.
pub fn stream(name: &str) -> StreamRecord {
    StreamRecord {
        name: name.into(),
        arn: arn("firehose", &format!("deliverystream/{name}")),
        id: "id".into(),
        created: Millis(1_500_000_000_000),
        version: 1,
        origin: Origin::Stream {
            arn: arn("kinesis", "stream/source"),
            role: "role".into(),
            identity: "first".into(),
        },
        destination: destination(),
        tags: BTreeMap::new(),
    }
}
