//! The bounds of this crate, by name.

/// Tags of a dashboard: AWS's own bound.
pub const TAGS_MAX: usize = 50;

/// Commits that are tried when others change the same dashboard.
pub const CONFLICTS_MAX: usize = 100;
