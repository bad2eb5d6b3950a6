//! All that is known in memory, changed by one record of the journal after the other.

use headwater_types::Millis;

use crate::{
    cell::Cell,
    index::{Index, SeriesId},
    journal::Record,
    recent::{Level, Recent},
};

/// What readers see: all that is durable.
#[derive(Default)]
pub(crate) struct State {
    pub index: Index,
    pub recent: Recent,
    pub last_minute: Option<Millis>,
}

impl State {
    /// Takes in a record that is durable.
    pub fn apply(&mut self, record: &Record) {
        for (number, key) in (record.first_new.0..).zip(&record.new) {
            self.index.add(SeriesId(number), key, 0);
        }
        for entry in &record.data {
            let level = match entry.by_second {
                true => Level::Second,
                false => Level::Minute,
            };
            let cell = Cell::of(&entry.values);
            self.index.note(entry.series, entry.at);
            self.recent.add(entry.series, level, entry.at, cell);
        }
        self.last_minute = self.last_minute.max(record.minute);
    }
}
