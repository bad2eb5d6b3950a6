//! The glue door: AWS's operations over the schemas domain, one file an operation.
//!
//! Owns the Glue Data Catalog's spelling of databases, tables and versions: names in lower case, tokens, texts. Keeps
//! no state of its own. It is the small part of Glue that format conversion needs: no partitions, crawlers or jobs.
//! What the model has and this table has not is answered by `wire` with an error that says so; so are settings.

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
use headwater_shapes::glue::{SERVICE, ops as shapes};
use headwater_wire::Table;

/// What handlers run on.
pub struct Glue {
    /// The databases and tables.
    pub schemas: Schemas,
}

/// The operations that are built.
pub fn table(glue: Arc<Glue>) -> Table<Glue> {
    Table::new(&SERVICE, glue)
        .route::<shapes::BatchDeleteTable>()
        .route::<shapes::CreateDatabase>()
        .route::<shapes::CreateTable>()
        .route::<shapes::DeleteDatabase>()
        .route::<shapes::DeleteTable>()
        .route::<shapes::DeleteTableVersion>()
        .route::<shapes::GetDatabase>()
        .route::<shapes::GetDatabases>()
        .route::<shapes::GetTable>()
        .route::<shapes::GetTableVersion>()
        .route::<shapes::GetTableVersions>()
        .route::<shapes::GetTables>()
        .route::<shapes::UpdateDatabase>()
        .route::<shapes::UpdateTable>()
}
