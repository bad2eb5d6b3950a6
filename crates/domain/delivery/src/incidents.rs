//! Errors that stop a delivery stream, kept until a delivery succeeds again.

use headwater_types::Millis;
use parking_lot::Mutex;

use crate::limits::ERROR_TEXT_BYTES_MAX;

/// An error that a delivery stream met, perhaps several times in a row, and has not got over yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// When it last happened.
    pub at: Millis,
    /// The error's text.
    pub error: String,
    /// How often in a row.
    pub times: u32,
}

/// The incident that one delivery stream has at the moment, if it has one.
#[derive(Default)]
pub struct Incidents(Mutex<Option<Incident>>);

impl Incidents {
    /// An error begins an incident, or goes on with the one that there is.
    pub fn note(&self, at: Millis, error: &str) {
        let error = error[..error.floor_char_boundary(ERROR_TEXT_BYTES_MAX)].to_owned();
        let mut current = self.0.lock();
        let times = current.as_ref().map_or(0, |incident| incident.times) + 1;
        *current = Some(Incident { at, error, times });
    }

    /// A delivery succeeded: the incident is over.
    pub fn clear(&self) {
        *self.0.lock() = None;
    }

    /// The incident of the moment.
    pub fn current(&self) -> Option<Incident> {
        self.0.lock().clone()
    }
}
