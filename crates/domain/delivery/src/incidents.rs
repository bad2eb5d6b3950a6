//! Errors that stop a delivery stream, kept until a delivery succeeds again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use headwater_types::Millis;
use parking_lot::Mutex;

use crate::limits::ERROR_TEXT_BYTES_MAX;

/// An error that a delivery stream met, perhaps several times in a row, and has not got over yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// When it first happened.
    pub since: Millis,
    /// When it last happened.
    pub at: Millis,
    /// The error's code, of those that AWS's error logs use.
    pub code: &'static str,
    /// The error's text.
    pub error: String,
    /// How often in a row.
    pub times: u32,
}

/// The incident that one delivery stream has at the moment, if it has one; and how many errors there were in all.
#[derive(Default)]
pub struct Incidents {
    current: Mutex<Option<Incident>>,
    total: AtomicU64,
}

impl Incidents {
    /// An error begins an incident, or goes on with the one that there is.
    pub fn note(&self, at: Millis, code: &'static str, error: &str) {
        let error = error[..error.floor_char_boundary(ERROR_TEXT_BYTES_MAX)].to_owned();
        self.total.fetch_add(1, Relaxed);
        let mut current = self.current.lock();
        let before = current.as_ref();
        let times = before.map_or(0, |incident| incident.times) + 1;
        let since = before.map_or(at, |incident| incident.since);
        *current = Some(Incident {
            since,
            at,
            code,
            error,
            times,
        });
    }

    /// A delivery succeeded: the incident is over.
    pub fn clear(&self) {
        *self.current.lock() = None;
    }

    /// The incident of the moment.
    pub fn current(&self) -> Option<Incident> {
        self.current.lock().clone()
    }

    /// Errors that there were since the process started.
    pub fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }
}
