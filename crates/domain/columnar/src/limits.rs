//! The bounds of everything that is held here.

/// How deep a type may be nested; a record's JSON may be nested as deep as serde_json reads, 128 levels.
pub(crate) const TYPE_DEPTH: usize = 32;

/// Bytes of values that a row group of a Parquet file gathers in memory before it is encoded.
pub(crate) const ROW_GROUP_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of values that a stripe of an ORC file may be configured with, for it is gathered in memory too.
pub(crate) const STRIPE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Bytes of padding in front of a row group of a Parquet file that may be configured.
pub(crate) const PADDING_BYTES_MAX: u64 = 128 * 1024 * 1024;

/// Bytes of records after which the values that are gathered are counted anew.
pub(crate) const BYTES_BETWEEN_COUNTS: usize = 256 * 1024;
