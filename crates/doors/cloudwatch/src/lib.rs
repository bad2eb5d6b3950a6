//! The CloudWatch door: metrics and dashboards, one file an operation.
//!
//! Owns CloudWatch's spelling: which data, periods and ranges there may be, labels, ARNs, texts, and what a dashboard's body
//! looks like. Keeps no state of its own: what was measured is kept by `metrics`, what people drew of it by `dashboards`. An
//! operation or a member that the model has and this has not is refused with an error that names it. Texts are those recorded
//! on AWS by the tests of localstack, where those have them, else those of users' reports.

mod body;
mod data;
mod errors;
mod labels;
mod names;
mod ops;
mod page;
mod queries;
mod ranges;
mod tags;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_dashboards::Dashboards;
use headwater_env::Env;
use headwater_metrics::Metrics;
use headwater_shapes_cloudwatch::{SERVICE, ops as shapes};
use headwater_wire::{Line, READS, Routes, Table, WRITES};

use crate::names::dashboard_arn;

/// The state that handlers run on.
pub struct CloudWatch {
    /// The clock, that times are held against.
    pub env: Env,
    /// What was measured.
    pub metrics: Arc<Metrics>,
    /// What people drew of it.
    pub dashboards: Dashboards,
}

/// The largest body with metrics: AWS's bound.
const DATA_BYTES: usize = 1 << 20;
/// The largest body with a dashboard: one of 1 MiB with each of its quotes escaped.
const DASHBOARD_BYTES: usize = 2 << 20;
/// An operation that reads what was measured, of which there may be much.
const READS_DATA: Line = READS.data().gives_records();

/// The operations that are built.
pub fn table(cloudwatch: Arc<CloudWatch>) -> Table {
    Routes::new(&SERVICE, cloudwatch)
        .route::<shapes::DeleteDashboards>(WRITES)
        .route_on::<shapes::GetDashboard>(READS, |input, context| {
            dashboard_arn(&input.dashboard_name, context)
        })
        .route::<shapes::GetMetricData>(READS_DATA)
        .route::<shapes::GetMetricStatistics>(READS_DATA)
        .route::<shapes::ListDashboards>(READS)
        .route::<shapes::ListMetrics>(READS.data())
        .route_on::<shapes::ListTagsForResource>(READS, |input, _| input.resource_arn.clone())
        .route_on::<shapes::PutDashboard>(WRITES.takes(DASHBOARD_BYTES), |input, context| {
            dashboard_arn(&input.dashboard_name, context)
        })
        .route::<shapes::PutMetricData>(WRITES.data().takes(DATA_BYTES))
        .route_on::<shapes::TagResource>(WRITES, |input, _| input.resource_arn.clone())
        .route_on::<shapes::UntagResource>(WRITES, |input, _| input.resource_arn.clone())
        .build()
}
