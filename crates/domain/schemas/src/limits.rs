//! Bounds on everything that waits or grows.

/// Bytes of a database's and a table's name together: both are parts of a key of the catalog.
pub const NAMES_BYTES_MAX: usize = 1900;
/// Versions that are kept of one table (AWS: 100,000).
pub const VERSIONS_MAX: usize = 100_000;
/// How often a change is tried again when another came first.
pub const CONFLICTS_MAX: usize = 20;
/// Bytes of a partition's values together, as they stand in a key of the catalog.
pub const VALUES_BYTES_MAX: usize = 1900;
/// Partitions that are removed in one commit after their table was deleted.
pub const PARTITIONS_A_COMMIT: usize = 500;
