//! The commitment to a minimum throughput, as the catalog keeps it. Pure.

use std::time::Duration;

use headwater_types::Millis;
use serde::{Deserialize, Serialize};

/// How long a commitment lasts at least.
const MIN_COMMITMENT: Duration = Duration::from_secs(24 * 3600);

/// The commitment to a minimum throughput.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Commitment {
    /// When it was made; none when there never was one.
    pub started: Option<Millis>,
    /// When it ends or ended.
    pub ends: Option<Millis>,
}

impl Commitment {
    /// Whether it holds at `now`.
    pub fn is_on(&self, now: Millis) -> bool {
        self.started.is_some() && self.ends.is_none_or(|ends| now < ends)
    }

    /// The earliest time at which it may end.
    pub fn earliest_end(&self) -> Option<Millis> {
        self.started.map(|started| started.plus(MIN_COMMITMENT))
    }

    /// The commitment after it was asked to be on, or off; one that is too young to end ends as soon as it may.
    pub(crate) fn switched(self, on: bool, now: Millis) -> Self {
        match (on, self.is_on(now)) {
            (true, true) => Self { ends: None, ..self },
            (true, false) => Self {
                started: Some(now),
                ends: None,
            },
            (false, true) => Self {
                ends: self.earliest_end().map(|earliest| earliest.max(now)),
                ..self
            },
            (false, false) => self,
        }
    }
}
