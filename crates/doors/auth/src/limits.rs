//! The bounds of everything here that grows.

/// Keys made of secrets that are kept for the next requests: a few for each access key, day and service.
pub(crate) const SIGNING_KEYS: usize = 1024;

/// The name of a region.
pub(crate) const REGION_BYTES: usize = 24;
