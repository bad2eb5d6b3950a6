//! What stands in the way of a delivery stream, for whoever asks how it is doing.

use headwater_types::Millis;
use parking_lot::Mutex;

use crate::limits::ERROR_TEXT_BYTES_MAX;

/// What goes wrong with a delivery stream until it goes right again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// When it last happened.
    pub at: Millis,
    /// What.
    pub error: String,
    /// How often in a row.
    pub times: u32,
}

/// The trouble that a delivery stream is in, if it is.
#[derive(Default)]
pub struct Troubles(Mutex<Option<Trouble>>);

impl Troubles {
    /// It is in trouble, or still is.
    pub fn note(&self, at: Millis, error: &str) {
        let error = error[..error.floor_char_boundary(ERROR_TEXT_BYTES_MAX)].to_owned();
        let mut trouble = self.0.lock();
        let times = trouble.as_ref().map_or(0, |trouble| trouble.times) + 1;
        *trouble = Some(Trouble { at, error, times });
    }

    /// It is in none any more.
    pub fn clear(&self) {
        *self.0.lock() = None;
    }

    /// The trouble that it is in now.
    pub fn now(&self) -> Option<Trouble> {
        self.0.lock().clone()
    }
}
