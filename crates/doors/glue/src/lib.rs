//! The glue door: AWS's operations over the schemas domain, one file an operation.
//!
//! Owns the Glue Data Catalog's spelling of databases, tables and versions: names in lower case, tokens, texts. Keeps
//! no state of its own. It is the small part of Glue that format conversion needs: no partitions, crawlers or jobs.
//! Operations and settings that the model has and this table has not are refused by `wire` with an error that says so.

mod errors;
mod name;
mod ops;
mod show;
mod table_input;
#[cfg(test)]
mod testing;
mod token;

use std::sync::Arc;

use headwater_schemas::Schemas;
use headwater_shapes_glue::{SERVICE, ops as shapes};
use headwater_wire::{READS, Routes, Table, WRITES};

/// The state that handlers run on.
pub struct Glue {
    /// The databases and tables.
    pub schemas: Schemas,
}

/// The operations that are built.
pub fn table(glue: Arc<Glue>) -> Table {
    Routes::new(&SERVICE, glue)
        .route::<shapes::BatchDeleteTable>(WRITES)
        .route::<shapes::CreateDatabase>(WRITES)
        .route::<shapes::CreateTable>(WRITES)
        .route::<shapes::DeleteDatabase>(WRITES)
        .route::<shapes::DeleteTable>(WRITES)
        .route::<shapes::DeleteTableVersion>(WRITES)
        .route::<shapes::GetDatabase>(READS)
        .route::<shapes::GetDatabases>(READS)
        .route::<shapes::GetTable>(READS)
        .route::<shapes::GetTableVersion>(READS)
        .route::<shapes::GetTableVersions>(READS)
        .route::<shapes::GetTables>(READS)
        .route::<shapes::UpdateDatabase>(WRITES)
        .route::<shapes::UpdateTable>(WRITES)
        .build()
}
