//! Why an intent could not be carried out.

use std::io;

use headwater_catalog::CatalogError;
use headwater_columnar::SchemaError;

use crate::{
    naming::PrefixError,
    ports::{InvokeError, ObjectsError, SourceError, TableError},
    steps::query::QueryError,
};

/// Why an intent could not be carried out; it will be again.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// The records could not be read.
    #[error("reading the source failed: {0}")]
    Source(#[from] SourceError),
    /// Records expired after an earlier run may have had them, and before this one had.
    #[error("{shard} has lost records from {from} on while they were delivered again")]
    Expired {
        /// Their shard.
        shard: String,
        /// The first of them.
        from: u64,
    },
    /// The function could not be asked.
    #[error("calling the function failed: {0}")]
    Invoke(#[from] InvokeError),
    /// A step cannot be taken.
    #[error("{0}")]
    Query(#[from] QueryError),
    /// The names of the batch cannot be made.
    #[error("{0}")]
    Prefix(#[from] PrefixError),
    /// A note that has to be written down before an object is could not be.
    #[error("{0}")]
    Catalog(#[from] CatalogError),
    /// The records could not be sorted by partition.
    #[error("the spool in the data folder failed: {0}")]
    Spool(#[from] io::Error),
    /// The columns that records are converted by are not known.
    #[error("the table that records are converted by is not known: {0}")]
    Table(#[from] TableError),
    /// The columns are none that records can be converted by.
    #[error("records cannot be converted by the columns of the table: {0}")]
    Schema(#[from] SchemaError),
    /// An object could not be put or removed.
    #[error("writing to the bucket failed: {0}")]
    Objects(#[from] ObjectsError),
}
