//! The glue door: AWS's operations over the schemas domain, one file an operation.
//!
//! Owns the Glue Data Catalog's spelling of databases, tables, versions and partitions: names in lower case, tokens,
//! filters of partitions, texts. Keeps no state of its own. Of Glue it is the catalog alone: no crawlers or jobs.
//! Operations and settings that the model has and this table has not are refused by `wire` with an error that says so.

mod errors;
mod filter;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod name;
mod ops;
mod partition;
mod show;
mod table_input;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_schemas::Schemas;
use headwater_shapes_glue::{SERVICE, ops as shapes};
use headwater_wire::{Line, READS, Routes, Table, WRITES};

/// The state that handlers run on.
pub struct Glue {
    /// The databases and tables.
    pub schemas: Schemas,
}

/// The largest body of a request that describes partitions: a hundred of them, of tables with hundreds of columns.
const PARTITIONS_BYTES: usize = 8 << 20;

const DESCRIBES_PARTITIONS: Line = WRITES.takes(PARTITIONS_BYTES);

/// The operations that are built.
pub fn table(glue: Arc<Glue>) -> Table {
    Routes::new(&SERVICE, glue)
        .route::<shapes::BatchCreatePartition>(DESCRIBES_PARTITIONS)
        .route::<shapes::BatchDeletePartition>(WRITES)
        .route::<shapes::BatchDeleteTable>(WRITES)
        .route::<shapes::BatchGetPartition>(READS.gives_records())
        .route::<shapes::BatchUpdatePartition>(DESCRIBES_PARTITIONS)
        .route::<shapes::CreateDatabase>(WRITES)
        .route::<shapes::CreatePartition>(WRITES)
        .route::<shapes::CreateTable>(WRITES)
        .route::<shapes::DeleteDatabase>(WRITES)
        .route::<shapes::DeletePartition>(WRITES)
        .route::<shapes::DeleteTable>(WRITES)
        .route::<shapes::DeleteTableVersion>(WRITES)
        .route::<shapes::GetDatabase>(READS)
        .route::<shapes::GetDatabases>(READS)
        .route::<shapes::GetPartition>(READS)
        .route::<shapes::GetPartitionIndexes>(READS)
        .route::<shapes::GetPartitions>(READS.gives_records())
        .route::<shapes::GetTable>(READS)
        .route::<shapes::GetTableVersion>(READS)
        .route::<shapes::GetTableVersions>(READS)
        .route::<shapes::GetTables>(READS)
        .route::<shapes::GetTags>(READS)
        .route::<shapes::UpdateDatabase>(WRITES)
        .route::<shapes::UpdatePartition>(WRITES)
        .route::<shapes::UpdateTable>(WRITES)
        .build()
}
