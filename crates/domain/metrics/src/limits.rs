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
