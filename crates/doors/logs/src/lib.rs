//! The logs door: AWS's operations over the loggroups domain, one file an operation.
//!
//! Owns CloudWatch Logs' spelling of groups, streams and events: ARNs, tokens, defaults, texts. Keeps no state of its
//! own. Operations and settings that the model has and this table has not are refused by `wire` with an error.

mod errors;
mod group;
mod ops;
mod tags;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_loggroups::LogGroups;
use headwater_shapes_logs::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};

/// The state that handlers run on.
pub struct Logs {
    /// The log groups.
    pub groups: LogGroups,
}

/// The operations that are built.
pub fn table(logs: Arc<Logs>) -> Table {
    Routes::new(&SERVICE, logs)
        .route::<shapes::CreateLogGroup>(WRITES)
        .route::<shapes::CreateLogStream>(WRITES)
        .route::<shapes::DeleteLogGroup>(WRITES)
        .route::<shapes::DeleteLogStream>(WRITES)
        .route::<shapes::DeleteMetricFilter>(WRITES)
        .route::<shapes::DeleteRetentionPolicy>(WRITES)
        .route::<shapes::DeleteSubscriptionFilter>(WRITES)
        .route::<shapes::DescribeLogGroups>(READS)
        .route::<shapes::DescribeLogStreams>(READS)
        .route::<shapes::DescribeMetricFilters>(READS)
        .route::<shapes::DescribeSubscriptionFilters>(READS)
        .route::<shapes::FilterLogEvents>(READS.data().gives_records())
        .route::<shapes::GetLogEvents>(READS.data().gives_records())
        .route::<shapes::ListLogGroups>(READS)
        .route::<shapes::ListTagsForResource>(READS)
        .route::<shapes::ListTagsLogGroup>(READS)
        .route::<shapes::PutLogEvents>(WRITES.data().takes_records())
        .route::<shapes::PutMetricFilter>(WRITES)
        .route::<shapes::PutRetentionPolicy>(WRITES)
        .route::<shapes::PutSubscriptionFilter>(WRITES)
        .direct::<shapes::StartLiveTail>(READS.data())
        .route::<shapes::TagLogGroup>(WRITES)
        .route::<shapes::TagResource>(WRITES)
        .route::<shapes::TestMetricFilter>(READS)
        .route::<shapes::UntagLogGroup>(WRITES)
        .route::<shapes::UntagResource>(WRITES)
        .build()
}
