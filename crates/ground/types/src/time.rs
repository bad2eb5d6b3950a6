//! Points in time, in milliseconds, as AWS's services keep them.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in time: milliseconds since the Unix epoch, UTC.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The Unix epoch, before everything that a server stores.
    pub const ZERO: Millis = Millis(0);

    /// Whole seconds since the epoch, rounded down.
    pub fn seconds(self) -> u64 {
        self.0 / 1000
    }

    /// Whole minutes since the epoch, rounded down.
    pub fn minute(self) -> u64 {
        self.seconds() / 60
    }

    /// The beginning of a minute, counted from the epoch.
    pub fn of_minute(minute: u64) -> Self {
        Self(minute.saturating_mul(60_000))
    }

    /// How long ago `earlier` was, or zero when it lies in the future.
    pub fn since(self, earlier: Millis) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The point `by` later; it stops at the end of time instead of wrapping.
    pub fn plus(self, by: Duration) -> Millis {
        Millis(
            self.0
                .saturating_add(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }

    /// The point `by` earlier; it stops at the epoch.
    pub fn minus(self, by: Duration) -> Millis {
        Millis(
            self.0
                .saturating_sub(u64::try_from(by.as_millis()).unwrap_or(u64::MAX)),
        )
    }
}
