//! The errors of tables.

use headwater_catalog::CatalogError;
use headwater_log::LogError;

/// Why a table cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// There is none of this name.
    #[error("there is no table {0}")]
    NoTable(String),
    /// There is one of this name.
    #[error("there is a table {0}")]
    Exists(String),
    /// It has no index of this name.
    #[error("table {0} has no index {1}")]
    NoIndex(String, String),
    /// It is in a state in which this cannot be done.
    #[error("table {0} is being made, changed or deleted")]
    Busy(String),
    /// It is protected against deletion.
    #[error("table {0} cannot be deleted while it is protected")]
    Protected(String),
    /// The caller went away, or the worker did; the write may have been done.
    #[error("interrupted")]
    Interrupted,
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The index failed.
    #[error("the index of tables failed: {0}")]
    Index(String),
    /// What is stored is not what was written.
    #[error("table {table} is damaged: {what}")]
    Damaged {
        /// The table.
        table: String,
        /// What.
        what: &'static str,
    },
}
