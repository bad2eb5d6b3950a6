//! Tumbling windows: spans of arrival times, one after the other, with a state that goes from call to call.

use std::time::Duration;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// A window that is open in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// Its first millisecond.
    pub start: Millis,
    /// One past its last.
    pub end: Millis,
    /// What the function made of it so far: JSON.
    pub state: String,
}

impl Window {
    /// The window of length `length` that a record which arrived at `arrival` opens.
    pub fn around(arrival: Millis, length: Duration) -> Self {
        let length = u64::try_from(length.as_millis()).unwrap_or(u64::MAX).max(1);
        let start = arrival.0 - arrival.0 % length;
        Self {
            start: Millis(start),
            end: Millis(start.saturating_add(length)),
            state: "{}".to_owned(),
        }
    }

    /// Whether a record belongs to it. One that arrived before it is late: its own window is over.
    pub fn has(&self, arrival: Millis) -> bool {
        arrival < self.end
    }
}
