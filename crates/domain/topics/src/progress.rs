//! How far a subscription is: everything before a place is done, except for a few messages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a subscription is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// The first offset that was not read.
    pub read: u64,
    /// The offsets before it that are not done, and how often each failed. They are at most
    /// [`crate::limits::IN_FLIGHT_MAX`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub open: BTreeMap<u64, u32>,
}

impl Progress {
    /// Nothing before `read` is for the subscription.
    pub fn at(read: u64) -> Self {
        Self {
            read,
            open: BTreeMap::new(),
        }
    }

    /// The first offset that is still needed.
    pub fn first(&self) -> u64 {
        self.open.keys().next().copied().unwrap_or(self.read)
    }
}
