//! The dynamodb door: AWS's operations over the tables domain, one file an operation.
//!
//! Owns DynamoDB's spelling of tables: names, ARNs, key schemas, indexes, billing, policies, defaults and texts. Keeps no
//! state of its own. Operations that the model has and this table has not are refused by `wire` with an error; settings
//! that are not built are refused here, by name.

mod billing;
mod change;
mod describe;
mod errors;
mod indexes;
mod ops;
mod place;
mod policy;
mod projection;
mod refused;
mod schema;
mod stream;
pub mod streams;
mod tags;
#[cfg(test)]
mod testing;

use std::sync::Arc;

use headwater_env::Clock;
use headwater_shapes_dynamodb::{SERVICE, ops as shapes};
use headwater_tables::Tables;
use headwater_wire::{READS, Routes, Table, WRITES};

pub use place::{arn, stream_arn};

/// The state that handlers run on.
#[derive(Clone)]
pub struct Dynamo {
    /// The tables.
    pub tables: Arc<Tables>,
    /// The time of calls: that of changes, and what policies may ask for.
    pub clock: Arc<dyn Clock>,
}

/// The operations that are built. Those that a table's policy may allow to other accounts are as the developer guide has
/// them ("Resource-based policy considerations").
pub fn table(dynamo: Arc<Dynamo>) -> Table {
    Routes::new(&SERVICE, dynamo)
        .route::<shapes::CreateTable>(WRITES)
        .route::<shapes::DeleteResourcePolicy>(WRITES)
        .route::<shapes::DeleteTable>(WRITES.shared())
        .route::<shapes::DescribeContinuousBackups>(READS.shared())
        .route::<shapes::DescribeEndpoints>(READS)
        .route::<shapes::DescribeLimits>(READS)
        .route::<shapes::DescribeTable>(READS.shared())
        .route::<shapes::DescribeTimeToLive>(READS.shared())
        .route::<shapes::GetResourcePolicy>(READS)
        .route::<shapes::ListTables>(READS)
        .route::<shapes::ListTagsOfResource>(READS.shared())
        .route::<shapes::PutResourcePolicy>(WRITES)
        .route::<shapes::TagResource>(WRITES.shared())
        .route::<shapes::UntagResource>(WRITES.shared())
        .route::<shapes::UpdateContinuousBackups>(WRITES.shared())
        .route::<shapes::UpdateTable>(WRITES.shared())
        .route::<shapes::UpdateTimeToLive>(WRITES.shared())
        .build()
}
