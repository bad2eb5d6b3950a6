//! All that is known in memory, changed by one record of the journal after the other.

use std::{sync::Arc, time::Duration};

use headwater_types::Millis;

use crate::{
    Error,
    cell::Cell,
    files::Files,
    index::{Index, SeriesId},
    journal::Record,
    keeper::Folding,
    limits,
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
    /// The minute in which it was looked last for series to forget.
    looked_for_room: Option<u64>,
    /// When it was folded last, or the store was opened, on the clock that is never set.
    pub folded: Duration,
    /// The reason for which nothing could be folded, if nothing could.
    pub trouble: Option<Error>,
    /// The reason for which some files could not be merged, if any could not.
    pub unmerged: Option<Error>,
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

    /// Forgets the series that are not listed any more where there are nearly as many as there may be; at most once a
    /// minute, for all are looked at. Whether any was forgotten.
    pub fn make_room(&mut self, now: Millis, most: usize) -> bool {
        if !self.index.is_nearly_full(most) || self.looked_for_room == Some(now.minute()) {
            return false;
        }
        self.looked_for_room = Some(now.minute());
        let before = self.index.len();
        self.index.forget(now.minus(limits::LISTED_FOR));
        self.index.len() < before
    }

    /// Shows files to readers in place of those before. What they have is no longer shown as being folded, from the same
    /// moment on: else it would be counted twice.
    pub fn publish(&mut self, files: Files) {
        let position = files.manifest.position;
        self.folding
            .take_if(|folding| folding.manifest.position <= position);
        self.files = Arc::new(files);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cell::Cell, files::Manifest};

    /// Files as far as a place of the journal.
    fn files(position: u64) -> Files {
        Files {
            manifest: manifest(position),
            ..Files::default()
        }
    }

    fn manifest(position: u64) -> Manifest {
        Manifest {
            position,
            ..Manifest::default()
        }
    }

    /// A reader between two changes of the state sees a point in memory or in a file.
    #[test]
    fn what_is_folded_is_in_memory_until_its_files_are_shown() {
        let mut recent = Recent::default();
        let cell = Cell::of(&crate::Values::one(1.0));
        recent.add(SeriesId(0), Level::Minute, Millis(0), cell);
        let mut state = State {
            folding: Some(Arc::new(Folding {
                recent,
                manifest: manifest(7),
                series: Vec::new(),
            })),
            ..State::default()
        };
        let points = |state: &State| state.in_memory(SeriesId(0)).concat().len();
        state.publish(files(3));
        assert_eq!(points(&state), 1, "others were merged meanwhile");
        state.publish(files(7));
        assert_eq!((points(&state), state.files.manifest.position), (0, 7));
    }
}
