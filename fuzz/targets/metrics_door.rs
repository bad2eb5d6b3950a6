//! Requests of a service that is spoken to in forms, in Smithy RPC v2 and in AWS JSON: metrics and what is asked of them.
#![cfg_attr(feature = "libfuzzer", no_main)]

use std::sync::{Arc, LazyLock};

use headwater_fuzz::{Nobody, knock, pipelines, target};
use headwater_shapes_cloudwatch::{SERVICE, ops::*};
use headwater_wire::{Pipeline, READS, Routes, Table};

static PIPELINES: LazyLock<[Pipeline; 2]> = LazyLock::new(|| pipelines(table));

fn table() -> Table {
    Routes::new(&SERVICE, Arc::new(Nobody))
        .route::<GetMetricData>(READS)
        .route::<GetMetricStatistics>(READS)
        .route::<PutDashboard>(READS)
        .route::<PutMetricData>(READS.takes(1 << 16))
        .build()
}

target!(|data: &[u8]| knock(&PIPELINES, data));
