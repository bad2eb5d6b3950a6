//! The errors of databases, tables and partitions.

use headwater_catalog::CatalogError;

/// Why something was not found or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such database.
    #[error("there is no database {0}")]
    NoDatabase(String),
    /// There is no such table.
    #[error("there is no table {0}")]
    NoTable(String),
    /// The table has no such version.
    #[error("the table has no version {0}")]
    NoVersion(u64),
    /// The table has no partition of these values.
    #[error("the table has no such partition")]
    NoPartition,
    /// The table has a partition of these values.
    #[error("the table has this partition already")]
    PartitionExists,
    /// Values that the catalog cannot hold.
    #[error("the values of the partition take {0} bytes together, more than can be kept")]
    ValuesTooLong(usize),
    /// There is a database of this name.
    #[error("there is a database {0} already")]
    DatabaseExists(String),
    /// There is a table of this name.
    #[error("there is a table {0} already")]
    TableExists(String),
    /// The version that is the table cannot be deleted.
    #[error("version {0} is the table's latest one")]
    LatestVersion(u64),
    /// The table is at another version than the change was made for, or others changed it again and again.
    #[error("the table was changed by another")]
    Changed,
    /// Names that the catalog cannot hold.
    #[error(
        "the names of the database and the table have {0} bytes together, more than can be kept"
    )]
    NamesTooLong(usize),
    /// The table has as many versions as are kept.
    #[error(
        "the table has {0} versions, as many as are kept; delete some, or update it without an archive"
    )]
    TooManyVersions(usize),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
