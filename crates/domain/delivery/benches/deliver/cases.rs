//! The deliveries that are measured, and what limits each.

use headwater_columnar::{Deserializer, OpenX, Parquet, Serializer};
use headwater_delivery::{Buffering, Compression, Conversion, Destination, Function, Step, Target};

use crate::{
    Load,
    limits::{self, QUERY},
    objects::FAILED,
    runtimes::{RUNTIMES, Runtime},
    world::{BUCKET, arn},
};

/// A delivery, and work on the same records that it cannot do without.
pub struct Case {
    pub name: &'static str,
    pub destination: Destination,
    pub beside: Vec<Beside>,
    /// Whether it is measured only where it is named, for it needs what may not be installed.
    pub is_extra: bool,
}

/// Such work.
pub struct Beside {
    pub name: &'static str,
    pub work: Work,
}

pub enum Work {
    /// Does it once, on one thread; the bytes that it makes.
    Here(fn(&Load) -> u64),
    /// A function's process does it.
    Alone(&'static Runtime),
}

/// All of them; `mib` are delivered as one batch.
pub fn all(mib: usize) -> Vec<Case> {
    let plain = plain(mib);
    let gzip = Destination {
        compression: Compression::Gzip,
        ..plain.clone()
    };
    let partitioned = Destination {
        steps: vec![Step::Query(QUERY.into())],
        prefix: Some("data/passengers=!{partitionKeyFromQuery:passengers}/".into()),
        error_prefix: Some(format!("{FAILED}!{{firehose:error-output-type}}/")),
        is_partitioned: true,
        ..gzip.clone()
    };
    let parquet = Destination {
        conversion: Some(conversion()),
        ..plain.clone()
    };
    let case = |name, destination, limited_by, limit| {
        let beside = vec![Beside {
            name: limited_by,
            work: Work::Here(limit),
        }];
        Case {
            name,
            destination,
            beside,
            is_extra: false,
        }
    };
    let through = |name| {
        let destination = Destination {
            steps: vec![in_calls_of(name)],
            ..gzip.clone()
        };
        case(name, destination, "flate2", limits::gzip)
    };
    let in_process = |runtime: &'static Runtime| {
        let mut case = through(runtime.name);
        case.beside.push(Beside {
            name: "its process alone",
            work: Work::Alone(runtime),
        });
        Case {
            is_extra: true,
            ..case
        }
    };
    let mut all = vec![
        case("plain", plain, "copying", limits::copy),
        case("gzip", gzip.clone(), "flate2", limits::gzip),
        through("function"),
    ];
    all.extend(RUNTIMES.iter().map(in_process));
    all.push(case(
        "partitioned",
        partitioned,
        "the query, then flate2",
        limits::query_and_gzip,
    ));
    all.push(case(
        "parquet",
        parquet,
        "the Parquet writer",
        limits::parquet,
    ));
    all
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
        buffering: Buffering {
            size_mib: mib.try_into().expect("a small number of MiB"),
            interval_s: 0,
        },
        compression: Compression::None,
        logging: None,
    }
}

/// Bytes of records in one call of a function.
pub const CALL_BYTES: usize = 1 << 20;

fn in_calls_of(function: &str) -> Step {
    Step::Function(Function {
        arn: arn("lambda", &format!("function:{function}")),
        retries: 0,
        batch_bytes: CALL_BYTES,
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
