//! The bounds of this crate, by name.

/// Commits that may wait for the writer; those beyond it wait for a place.
pub const COMMITS_WAITING_MAX: usize = 1024;
/// Commits that share one durable write.
pub const COMMITS_A_WRITE_MAX: usize = 256;
/// Connections for reading, each used by one reader at a time.
pub const READERS: usize = 2;
/// Length of a key in bytes.
pub const KEY_BYTES_MAX: usize = 2048;
