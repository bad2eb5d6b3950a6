//! All that is known in memory, changed by one record of the journal after the other.

use std::sync::Arc;

use headwater_types::Millis;

use crate::{
    Error,
    cell::Cell,
    files::Files,
    index::{Index, SeriesId},
    journal::Record,
    keeper::Folding,
    recent::{Dot, Level, Recent},
};

/// What readers see: all that is durable.
#[derive(Default)]
pub(crate) struct State {
    pub index: Index,
    /// What was put last.
    pub recent: Recent,
    /// What was put before that and is on its way into files.
    pub folding: Option<Arc<Folding>>,
    pub files: Arc<Files>,
    /// The offset of the journal's next record.
    pub position: u64,
    /// The time of its last.
    pub newest: Millis,
    pub last_minute: Option<Millis>,
    /// The number that the next file has.
    pub next_number: u64,
    /// The reason for which nothing could be folded, if nothing could.
    pub trouble: Option<Error>,
}

impl State {
    /// Takes in the next record, which is durable.
    pub fn apply(&mut self, offset: u64, time: Millis, record: &Record) {
        (self.position, self.newest) = (offset + 1, time);
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

    /// The points of a series that are in no file, in the order in which they were put.
    pub fn in_memory(&self, series: SeriesId) -> Vec<Vec<Dot>> {
        let folding = self.folding.as_ref().map(|folding| &folding.recent);
        let parts = folding.into_iter().chain([&self.recent]);
        let levels = [Level::Second, Level::Minute];
        parts
            .flat_map(|part| levels.map(|level| part.of(level, series).to_vec()))
            .collect()
    }
}
