//! Tumbling windows: spans of arrival times, one after the other, with a state that goes from call to call.

use std::time::Duration;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::limits::{STATE_AT_REST_MAX, WINDOW_STATE_BYTES_MAX};

/// A window that is open in a shard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Window {
    /// Its first millisecond.
    pub start: Millis,
    /// One past its last.
    pub end: Millis,
    /// What the function made of it so far: JSON. Empty where it is only in the catalog ([`Self::at_rest`]).
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

    /// The window as it is kept in memory once it is in the catalog: without a state that is long. One that is longer than
    /// it may be stays, since it ends the window at once.
    pub fn at_rest(self) -> Self {
        match self.state.len() {
            length if length <= STATE_AT_REST_MAX || length > WINDOW_STATE_BYTES_MAX => self,
            _ => Self {
                state: String::new(),
                ..self
            },
        }
    }

    /// Whether its state is only in the catalog.
    pub fn is_at_rest(&self) -> bool {
        self.state.is_empty()
    }

    /// Whether a record belongs to it. One that arrived before it is late: its own window is over.
    pub fn has(&self, arrival: Millis) -> bool {
        arrival < self.end
    }
}
