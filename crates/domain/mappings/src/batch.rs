//! Records gathered from a shard for one call.

use headwater_log::SourceRecord;
use headwater_types::Millis;

use crate::{form::Form, limits::EVENT_BYTES_MAX};

/// A stretch of a shard whose records are called with together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// Its first offset.
    pub from: u64,
    /// One past its last.
    pub to: u64,
    /// How often it was called with.
    pub tries: u32,
}

/// Records for one call.
#[derive(Debug)]
pub(crate) struct Batch {
    form: Form,
    pub records: Vec<SourceRecord>,
    /// The bytes of its event, about.
    pub bytes: usize,
}

impl Batch {
    /// A batch without records.
    pub fn of(form: Form) -> Self {
        Self {
            form,
            records: Vec::new(),
            bytes: 0,
        }
    }

    /// Whether it may have another record.
    pub fn has_room(&self, batch_size: usize) -> bool {
        self.records.len() < batch_size && self.bytes < EVENT_BYTES_MAX
    }

    /// Takes records as long as they fit, the first one in any case; the offset of the first that is left.
    pub fn take(&mut self, records: Vec<SourceRecord>, batch_size: usize) -> Option<u64> {
        for record in records {
            let bytes = self.bytes + self.form.event_bytes(&record);
            let fits = self.records.len() < batch_size && bytes <= EVENT_BYTES_MAX;
            if !fits && !self.records.is_empty() {
                return Some(record.offset);
            }
            self.bytes = bytes;
            self.records.push(record);
        }
        None
    }

    /// Takes the first records out, as long as they arrived before `horizon`. An old one behind a younger one, as a clock
    /// that was set back makes them, has to wait for that: the checkpoint could not tell that it is done.
    pub fn split_expired(&mut self, horizon: Millis) -> Vec<SourceRecord> {
        let is_expired = |record: &&SourceRecord| record.arrival < horizon;
        let expired = self.records.iter().take_while(is_expired).count();
        let fresh = self.records.split_off(expired);
        std::mem::replace(&mut self.records, fresh)
    }
}
