//! The bounds of everything here that grows.

/// Keys made of secrets that are kept for the next requests: a few for each access key, day and service.
pub(crate) const SIGNING_KEYS: usize = 1024;

/// The name of a region.
pub(crate) const REGION_BYTES: usize = 24;

/// How long a session lasts at most: a day and a half, as GetSessionToken's reference says.
pub const SESSION_LIFE: std::time::Duration = std::time::Duration::from_secs(36 * 3600);
