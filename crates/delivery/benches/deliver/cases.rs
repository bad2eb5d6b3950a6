//! The deliveries that are measured, and what limits each.

use headwater_columnar::{Deserializer, OpenX, Parquet, Serializer};
use headwater_delivery::{Buffering, Compression, Conversion, Destination, Function, Step, Target};

use crate::{
    Load,
    limits::{self, QUERY},
    world::{BUCKET, FAILED, arn},
};

/// A delivery, and work on the same records that it cannot do without.
pub struct Case {
    pub name: &'static str,
    pub destination: Destination,
    pub limited_by: &'static str,
    /// Does that work once, on one thread; the bytes that it makes.
    pub limit: fn(&Load) -> u64,
}

/// Those that are measured only where they are named, for they need what may not be installed.
pub const RUNTIMES: [&str; 2] = ["node", "python"];

/// All of them; `mib` are delivered as one batch.
pub fn all(mib: usize) -> [Case; 7] {
    let plain = plain(mib);
    let gzip = Destination { compression: Compression::Gzip, ..plain.clone() };
    let through = |name, function| Case {
        name,
        destination: Destination { steps: vec![in_calls_of(function)], ..gzip.clone() },
        limited_by: "flate2",
        limit: limits::gzip,
    };
    [
        Case { name: "plain", destination: plain.clone(), limited_by: "copying", limit: limits::copy },
        Case { name: "gzip", destination: gzip.clone(), limited_by: "flate2", limit: limits::gzip },
        through("function", "echo"),
        through(RUNTIMES[0], RUNTIMES[0]),
        through(RUNTIMES[1], RUNTIMES[1]),
        Case {
            name: "partitioned",
            destination: Destination {
                steps: vec![Step::Query(QUERY.into())],
                prefix: Some("data/passengers=!{partitionKeyFromQuery:passengers}/".into()),
                error_prefix: Some(format!("{FAILED}!{{firehose:error-output-type}}/")),
                is_partitioned: true,
                ..gzip.clone()
            },
            limited_by: "the query, then flate2",
            limit: limits::query_and_gzip,
        },
        Case {
            name: "parquet",
            destination: Destination { conversion: Some(conversion()), ..plain },
            limited_by: "the Parquet writer",
            limit: limits::parquet,
        },
    ]
}

fn plain(mib: usize) -> Destination {
    Destination {
        bucket: BUCKET.into(),
        role: "role".into(),
        prefix: Some("data/".into()),
        error_prefix: Some(FAILED.into()),
        time_zone: None,
        key_template: None,
        target: Target::Bucket,
        error_bucket: None,
        steps: Vec::new(),
        is_partitioned: false,
        partition_retry_s: 0,
        conversion: None,
        backup: None,
        encryption_key: None,
        extension: None,
        buffering: Buffering { size_mib: mib.try_into().expect("a small number of MiB"), interval_s: 0 },
        compression: Compression::None,
        logging: None,
        described: serde_json::Value::Null,
    }
}

/// In calls of 1 MiB.
fn in_calls_of(function: &str) -> Step {
    Step::Function(Function {
        arn: arn("lambda", &format!("function:{function}")),
        retries: 0,
        batch_bytes: 1 << 20,
        interval_s: 60,
    })
}

fn conversion() -> Conversion {
    Conversion {
        database: "taxi".into(),
        table: "trips".into(),
        version: None,
        region: "us-east-1".into(),
        catalog: None,
        read: Deserializer::OpenX(OpenX::default()),
        write: Serializer::Parquet(Parquet::default()),
    }
}
