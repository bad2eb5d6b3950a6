//! A queue as its worker and its changes share it.

use std::sync::Weak;

use headwater_catalog::Versioned;
use parking_lot::{Mutex, RwLock};

use crate::{QueueRecord, depth::Loaded};

/// A queue as its worker sees it.
pub(crate) struct Shared {
    pub id: String,
    pub record: RwLock<Versioned<QueueRecord>>,
    /// The records as the worker has them in memory, while it has.
    pub loaded: Mutex<Weak<Loaded>>,
}

impl Shared {
    /// Takes over a record that was read or written, unless a newer one is here by now.
    pub fn take_over(&self, found: Versioned<QueueRecord>) {
        let mut record = self.record.write();
        if found.version > record.version {
            *record = found;
        }
    }
}
