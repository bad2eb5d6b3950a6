//! The rows of tables in the catalog.

use std::sync::Arc;

use headwater_catalog::{Catalog, Single, Table};
use headwater_types::kept;
use serde::{Deserialize, Serialize};

use crate::TableRecord;

/// The rows.
#[derive(Clone)]
pub(crate) struct Store {
    pub catalog: Arc<dyn Catalog>,
    pub tables: Table<TableRecord>,
    pub deleted: Table<Deleted>,
    pub next_number: Single<u64>,
}

/// A table that was deleted and may have rows left in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Deleted {
    pub name: String,
    pub number: u64,
}

impl Store {
    pub fn new(catalog: Arc<dyn Catalog>) -> Self {
        Self {
            tables: Table::new(catalog.clone(), kept::Prefix::Tables),
            deleted: Table::new(catalog.clone(), kept::Prefix::TablesDeleted),
            next_number: Single::new(catalog.clone(), kept::Single::TableNumber),
            catalog,
        }
    }
}

/// The name of a deleted table's row.
pub(crate) fn row(number: u64) -> String {
    format!("{number:020}")
}
