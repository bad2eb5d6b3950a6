//! The dynamodb door: AWS's operations over the tables domain, one file an operation.

mod errors;
mod items;
mod ops;
mod place;

use std::sync::Arc;

use headwater_env::Clock;
use headwater_shapes_dynamodb::{SERVICE, ops as shapes};
use headwater_tables::Tables;
use headwater_wire::{Line, READS, Routes, Table, WRITES};

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

/// A write of one item, which a table's policy may allow to other accounts.
const WRITE: Line = WRITES.data().shared().takes(WRITE_BODY_BYTES);
/// Writes of several.
const WRITES_MANY: Line = WRITES.data().shared().takes(BATCH_BODY_BYTES);
/// A read of items.
const READ: Line = READS.data().shared().gives_records();

/// The operations that are built.
pub fn table(dynamo: Arc<Dynamo>) -> Table {
    Routes::new(&SERVICE, dynamo)
        .direct::<shapes::BatchGetItem>(READ)
        .direct::<shapes::BatchWriteItem>(WRITES_MANY)
        .direct::<shapes::DeleteItem>(WRITE)
        .direct::<shapes::GetItem>(READS.data().shared())
        .direct::<shapes::PutItem>(WRITE)
        .direct::<shapes::Query>(READ)
        .direct::<shapes::Scan>(READ)
        .route::<shapes::TransactGetItems>(READ.action("dynamodb:GetItem"))
        .route::<shapes::TransactWriteItems>(WRITES_MANY)
        .direct::<shapes::UpdateItem>(WRITE)
        .build()
}
