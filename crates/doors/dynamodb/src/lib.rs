//! The dynamodb door: AWS's operations over the tables domain, one file an operation.
//!
//! Owns DynamoDB's spelling of tables and their items: names, ARNs, key schemas, indexes, billing, policies, the checks of
//! requests, defaults and texts. Keeps no state of its own. Operations that the model has and this table has not are refused by `wire` with an error; settings
//! that are not built are refused here, by name.

mod billing;
mod change;
mod describe;
mod destination;
mod errors;
mod indexes;
mod items;
mod ops;
mod partiql;
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
use headwater_wire::{Line, Needed, READS, Routes, Table, WRITES};

pub use destination::destination_record;
pub use place::{arn, stream_arn};

use items::limits::{BATCH_BODY_BYTES, WRITE_BODY_BYTES};

/// The state that handlers run on.
#[derive(Clone)]
pub struct Dynamo {
    /// The tables.
    pub tables: Arc<Tables>,
    /// The time of calls: that of changes, and what policies may ask for.
    pub clock: Arc<dyn Clock>,
}

/// The name of a table that is made.
static NEW_NAME: Needed = Needed {
    member: "TableName",
    text: "The parameter 'TableName' is required but was not present in the request",
    empty: None,
};
/// The name of a table that is looked at or changed.
static NAME: Needed = Needed {
    empty: Some(place::NAME_LENGTH),
    ..NEW_NAME
};
/// The ARN of what has tags.
static TAGGED: Needed = Needed {
    member: "ResourceArn",
    text: "Invalid TableArn",
    empty: None,
};
/// A write of one item.
const WRITES_ONE: Line = WRITES.data().shared().takes(WRITE_BODY_BYTES);
/// Writes of several.
const WRITES_MANY: Line = WRITES.data().shared().takes(BATCH_BODY_BYTES);
/// A read of one item.
const READS_ONE: Line = READS.data().shared();
/// A read of several, whose answer may be large.
const READS_MANY: Line = READS_ONE.gives_records();

/// The operations that are built. Those that a table's policy may allow to other accounts are as the developer guide has
/// them ("Resource-based policy considerations").
pub fn table(dynamo: Arc<Dynamo>) -> Table {
    Routes::new(&SERVICE, dynamo)
        .route::<shapes::BatchExecuteStatement>(WRITES_MANY.gives_records())
        .direct::<shapes::BatchGetItem>(READS_MANY)
        .direct::<shapes::BatchWriteItem>(WRITES_MANY)
        .route::<shapes::CreateTable>(WRITES.needs(&NEW_NAME))
        .direct::<shapes::DeleteItem>(WRITES_ONE)
        .route::<shapes::DeleteResourcePolicy>(WRITES)
        .route::<shapes::DeleteTable>(WRITES.needs(&NAME).shared())
        .route::<shapes::DescribeContinuousBackups>(READS.shared())
        .route::<shapes::DescribeEndpoints>(READS)
        .route::<shapes::DescribeKinesisStreamingDestination>(READS)
        .route::<shapes::DescribeLimits>(READS)
        .route::<shapes::DescribeTable>(READS.needs(&NAME).shared())
        .route::<shapes::DescribeTimeToLive>(READS.needs(&NAME).shared())
        .route::<shapes::DisableKinesisStreamingDestination>(WRITES)
        .route::<shapes::EnableKinesisStreamingDestination>(WRITES)
        .route::<shapes::ExecuteStatement>(WRITES_ONE.gives_records())
        .route::<shapes::ExecuteTransaction>(WRITES_MANY.gives_records())
        .direct::<shapes::GetItem>(READS_ONE)
        .route::<shapes::GetResourcePolicy>(READS)
        .route::<shapes::ListTables>(READS)
        .route::<shapes::ListTagsOfResource>(READS.needs(&TAGGED).shared())
        .direct::<shapes::PutItem>(WRITES_ONE)
        .route::<shapes::PutResourcePolicy>(WRITES)
        .direct::<shapes::Query>(READS_MANY)
        .direct::<shapes::Scan>(READS_MANY)
        .route::<shapes::TagResource>(WRITES.needs(&TAGGED).shared())
        .route::<shapes::TransactGetItems>(READS_MANY.action("dynamodb:GetItem"))
        .route::<shapes::TransactWriteItems>(WRITES_MANY)
        .route::<shapes::UntagResource>(WRITES.needs(&TAGGED).shared())
        .route::<shapes::UpdateContinuousBackups>(WRITES.shared())
        .direct::<shapes::UpdateItem>(WRITES_ONE)
        .route::<shapes::UpdateKinesisStreamingDestination>(WRITES)
        .route::<shapes::UpdateTable>(WRITES.needs(&NAME).shared())
        .route::<shapes::UpdateTimeToLive>(WRITES.shared())
        .build()
}
