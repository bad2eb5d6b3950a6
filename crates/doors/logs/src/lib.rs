//! The logs door: AWS's operations over the loggroups domain, one file an operation.
//!
//! Owns CloudWatch Logs' spelling of groups, streams and events: ARNs, tokens, defaults, texts. Keeps no state of its
//! own. What the model has and this table has not is answered by `wire` with an error that says so; so are settings.

mod errors;
mod group;
mod ops;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_loggroups::LogGroups;
use headwater_shapes::logs::{SERVICE, ops as shapes};
use headwater_wire::Table;

/// What handlers run on.
pub struct Logs {
    /// The log groups.
    pub groups: LogGroups,
}

/// The operations that are built.
pub fn table(logs: Arc<Logs>) -> Table<Logs> {
    Table::new(&SERVICE, logs)
        .route::<shapes::CreateLogGroup>()
        .route::<shapes::CreateLogStream>()
        .route::<shapes::DeleteLogGroup>()
        .route::<shapes::DeleteLogStream>()
        .route::<shapes::DescribeLogGroups>()
        .route::<shapes::DescribeLogStreams>()
        .route::<shapes::FilterLogEvents>()
        .route::<shapes::GetLogEvents>()
        .route::<shapes::PutLogEvents>()
        .route::<shapes::PutRetentionPolicy>()
}
