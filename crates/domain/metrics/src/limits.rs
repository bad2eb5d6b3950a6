//! Every bound of the store, by name.

use std::time::Duration;

/// Series that are known at one time; data of more are refused.
pub const SERIES_MAX: usize = 500_000;

/// Puts that wait for the journal; callers beyond that wait for room.
pub const PUTS_WAITING_MAX: usize = 64;

/// Puts that one append to the journal takes.
pub const PUTS_AN_APPEND_MAX: usize = 64;

/// Bytes of the journal that are read at one go at the start.
pub const REPLAY_BYTES: usize = 4 << 20;

/// A series is listed for so long after its last datum.
pub const LISTED_FOR: Duration = Duration::from_secs(14 * 24 * 3600);

/// A series is recent for so long after its last datum.
pub const RECENT_FOR: Duration = Duration::from_secs(3 * 3600);

/// Data are kept by the second for so long, where their writer wants it.
pub const SECONDS_FOR: Duration = Duration::from_secs(3 * 3600);

/// Bytes of a page, not compressed, beyond which another begins.
pub const PAGE_BYTES: usize = 32 << 10;

/// Bytes of a page, not compressed, with the run that went beyond [`PAGE_BYTES`].
pub const PAGE_BYTES_MAX: usize = 2 << 20;

/// Points that one run of a page has at the most.
pub const RUN_POINTS_MAX: usize = 512;

/// Bytes that all names of series have at the most.
pub const SERIES_BYTES_MAX: usize = 256 << 20;

/// Bytes of points in memory for which it is folded into files before the hour is over.
pub const FOLD_BYTES: usize = 24 << 20;

/// Bytes of points in memory that wait for a fold at the most, beside those that are being folded; puts wait beyond that.
pub const RECENT_BYTES_MAX: usize = 48 << 20;

/// What was put is folded into files after so long.
pub const FOLD_EVERY: Duration = Duration::from_secs(3600);

/// How often files are looked after.
pub const KEEP_EVERY: Duration = Duration::from_secs(60);

/// Files of one part of time and one level; more are merged.
pub const FILES_A_WINDOW: usize = 8;
