//! The writer: takes what waits, appends it to the journal as one, and lets readers see it.

use std::{collections::HashMap, pin::pin, sync::Arc};

use headwater_log::{Append, Appended, NewRecord, ShardNumber};
use headwater_types::Millis;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Datum, Error,
    index::SeriesId,
    journal::{Entry, Record},
    limits,
    metrics::{Core, JOURNAL},
    state::State,
};

/// Data that wait to be written.
pub(crate) struct Put {
    /// The minute of the server's own that they are, if they are one.
    pub minute: Option<Millis>,
    pub data: Vec<Datum>,
    /// A record of another shard that is appended with them.
    pub beside: Option<Beside>,
    pub done: oneshot::Sender<Result<(), Error>>,
}

/// A record that is appended with data, so that after a crash both are there or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// The shard of the log that takes it.
    pub shard: ShardNumber,
    /// The record's value; its key is empty.
    pub value: Vec<u8>,
}

/// The one who writes. So records are applied in the journal's order, and a sum is the same after a restart.
pub(crate) struct Writer {
    pub core: Arc<Core>,
    /// Whether it was said that data of the server's own are left out.
    pub has_left_out: bool,
}

impl Writer {
    /// Writes until the store is closed.
    pub async fn run(mut self, mut waiting: mpsc::Receiver<Put>) {
        let mut puts = Vec::with_capacity(limits::PUTS_AN_APPEND_MAX);
        while waiting
            .recv_many(&mut puts, limits::PUTS_AN_APPEND_MAX)
            .await
            > 0
        {
            // A shard that is gone refuses its own put alone.
            let (beside, others) = std::mem::take(&mut puts)
                .into_iter()
                .partition(|put: &Put| put.beside.is_some());
            self.write(others).await;
            let beside: Vec<Put> = beside;
            for put in beside {
                self.write(vec![put]).await;
            }
        }
    }

    async fn write(&mut self, puts: Vec<Put>) {
        if let Err(error) = self.room().await {
            for put in puts {
                let _ = put.done.send(Err(error.clone()));
            }
            return;
        }
        let now = self.core.env.clock.now();
        self.make_room_for_series(now);
        let beside: Vec<_> = puts.iter().filter_map(|put| put.beside.clone()).collect();
        let (records, answers, left_out) = {
            let state = self.core.state.read();
            let mut batch = Batch::of(&state, now, limits::SERIES_MAX);
            let (records, answers) = batch.take(puts);
            (records, answers, batch.left_out)
        };
        if left_out > 0 && !std::mem::replace(&mut self.has_left_out, true) {
            tracing::warn!(
                left_out,
                "there are as many series of metrics as there may be: new ones of the server's own are left out from here on"
            );
        }
        let written = match records.is_empty() {
            true => Ok(()),
            false => self.append(&records, &beside).await,
        };
        for (done, refused) in answers {
            let answer = match refused {
                Some(refused) => Err(refused),
                None => written.clone(),
            };
            // A caller that went away misses nothing.
            let _ = done.send(answer);
        }
    }

    /// Forgets series that are not listed any more where there is little room for new ones: between two appends, so that no
    /// record that is being made has one of them.
    fn make_room_for_series(&mut self, now: Millis) {
        let is_full = self
            .core
            .state
            .read()
            .index
            .is_nearly_full(limits::SERIES_MAX);
        if is_full && self.core.state.write().make_room(now, limits::SERIES_MAX) {
            self.has_left_out = false;
        }
    }

    async fn append(&self, made: &[Record], beside: &[Beside]) -> Result<(), Error> {
        let values: Vec<_> = made.iter().map(Record::encode).collect();
        let record = |value| NewRecord { key: b"", value };
        let records: Vec<_> = values.iter().map(|value| record(value)).collect();
        let beside: Vec<_> = beside
            .iter()
            .map(|beside| (beside.shard, [record(&beside.value)]))
            .collect();
        let journal = Append {
            shard: JOURNAL,
            records: &records,
        };
        let beside = beside.iter().map(|(shard, records)| Append {
            shard: *shard,
            records,
        });
        let appends: Vec<_> = std::iter::once(journal).chain(beside).collect();
        let appended = self.core.log.append_whole(&appends).await?;
        let mut state = self.core.state.write();
        if let Some(&Appended { first_offset, time }) = appended.first() {
            for (offset, record) in (first_offset..).zip(made) {
                state.apply(offset, time, record);
            }
        }
        if state.recent.weight() >= limits::FOLD_BYTES {
            self.core.fold_wanted.notify_one();
        }
        Ok(())
    }

    /// Waits until there is room in memory for what is put.
    async fn room(&self) -> Result<(), Error> {
        loop {
            let mut folded = pin!(self.core.folded.notified());
            // Registered before the look, so that no fold ends between the two.
            folded.as_mut().enable();
            {
                let state = self.core.state.read();
                if state.recent.weight() < limits::RECENT_BYTES_MAX {
                    return Ok(());
                }
                if let Some(trouble) = &state.trouble {
                    // Another try, for those who come later.
                    self.core.fold_wanted.notify_one();
                    return Err(trouble.clone());
                }
            }
            self.core.fold_wanted.notify_one();
            folded.await;
        }
    }
}

/// Records that are being made, and the series that are new in them.
struct Batch<'a> {
    state: &'a State,
    now: Millis,
    /// Series that there may be.
    most: usize,
    new: HashMap<Vec<u8>, SeriesId>,
    /// The bytes of their names.
    new_bytes: usize,
    next: SeriesId,
    last_minute: Option<Millis>,
    /// Data that were left out of minutes of the server's own, since there was no room for their series.
    left_out: usize,
}

/// A caller's answer, and why the put was refused if it was.
type Answer = (oneshot::Sender<Result<(), Error>>, Option<Error>);

impl<'a> Batch<'a> {
    fn of(state: &'a State, now: Millis, most: usize) -> Self {
        Self {
            state,
            now,
            most,
            new: HashMap::new(),
            new_bytes: 0,
            next: state.index.next(),
            last_minute: state.last_minute,
            left_out: 0,
        }
    }

    fn take(&mut self, puts: Vec<Put>) -> (Vec<Record>, Vec<Answer>) {
        let (mut records, mut answers) = (Vec::new(), Vec::new());
        for put in puts {
            let refused = match self.record(put.minute, put.data) {
                Ok(record) => {
                    records.extend(record);
                    None
                }
                Err(error) => Some(error),
            };
            answers.push((put.done, refused));
        }
        (records, answers)
    }

    /// The record of a put; none for a minute that is there. Where there are as many series as there may be, a put with new
    /// ones is refused, and a minute has what it can without them: the next cannot come before it is there.
    fn record(
        &mut self,
        minute: Option<Millis>,
        data: Vec<Datum>,
    ) -> Result<Option<Record>, Error> {
        if minute.is_some() && minute <= self.last_minute {
            return Ok(None);
        }
        let mut record = Record {
            minute,
            first_new: self.next,
            ..Record::default()
        };
        for datum in data {
            match self.series(datum.metric.series_key(datum.unit), &mut record.new) {
                Some(series) => record.data.push(self.entry(series, datum)),
                None if minute.is_some() => self.left_out += 1,
                None => {
                    self.forget(record);
                    return Err(Error::TooManySeries { max: self.most });
                }
            }
        }
        self.last_minute = self.last_minute.max(minute);
        Ok(Some(record))
    }

    /// A series' id; none of a new one for which there is no room.
    fn series(&mut self, key: Vec<u8>, new: &mut Vec<Vec<u8>>) -> Option<SeriesId> {
        let known = self.state.index.find(&key);
        if let Some(id) = known.or_else(|| self.new.get(&key).copied()) {
            return Some(id);
        }
        let index = &self.state.index;
        if index.len() + self.new.len() >= self.most
            || index.bytes() + self.new_bytes + key.len() > limits::SERIES_BYTES_MAX
        {
            return None;
        }
        let id = self.next;
        self.next = SeriesId(id.0 + 1);
        self.new_bytes += key.len();
        new.push(key.clone());
        self.new.insert(key, id);
        Some(id)
    }

    fn entry(&self, series: SeriesId, datum: Datum) -> Entry {
        Entry {
            series,
            at: datum.at,
            by_second: datum.is_high_resolution && self.now.since(datum.at) < limits::SECONDS_FOR,
            values: datum.values,
        }
    }

    /// Forgets the series that a record would have been the first of.
    fn forget(&mut self, record: Record) {
        for key in record.new {
            self.new_bytes -= key.len();
            self.new.remove(&key);
        }
        self.next = record.first_new;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Metric, Unit, Values};

    const MINUTE: Millis = Millis(1_700_000_040_000);

    fn data(names: &[&str]) -> Vec<Datum> {
        let datum = |name: &&str| Datum {
            metric: Metric::new("space", *name, Vec::new()),
            unit: Unit::Count,
            at: MINUTE,
            is_high_resolution: false,
            values: Values::one(1.0),
        };
        names.iter().map(datum).collect()
    }

    /// A state with two series of three.
    fn state() -> State {
        let mut state = State::default();
        let record = Batch::of(&state, MINUTE, 3).record(None, data(&["a", "b"]));
        state.apply(0, MINUTE, &record.unwrap().unwrap());
        state
    }

    #[test]
    fn a_put_with_one_series_too_many_is_refused_whole() {
        let state = state();
        let mut batch = Batch::of(&state, MINUTE, 3);
        let refused = Err(Error::TooManySeries { max: 3 });
        assert_eq!(batch.record(None, data(&["a", "c", "d"])), refused);
        let taken = batch.record(None, data(&["e", "a"])).unwrap().unwrap();
        assert_eq!((taken.new.len(), taken.data[0].series), (1, SeriesId(2)));
        assert_eq!(batch.record(None, data(&["c"])), refused);
        assert!(batch.record(None, data(&["e", "b"])).is_ok());
    }

    #[test]
    fn a_minute_has_what_there_is_room_for() {
        let state = state();
        let mut batch = Batch::of(&state, MINUTE, 3);
        let record = batch.record(Some(MINUTE), data(&["c", "d", "a", "e"]));
        let record = record.unwrap().unwrap();
        let series: Vec<_> = record.data.iter().map(|entry| entry.series.0).collect();
        assert_eq!((series, batch.left_out), (vec![2, 0], 2));
        let (again, next) = (Some(MINUTE), Some(Millis(MINUTE.0 + 60_000)));
        assert_eq!(batch.record(again, data(&["a"])), Ok(None));
        let empty = batch.record(next, data(&["f"])).unwrap().unwrap();
        assert_eq!((empty.minute, empty.data.len()), (next, 0));
    }

    #[test]
    fn a_store_that_is_full_forgets_what_is_not_listed_any_more() {
        let mut state = state();
        let later = MINUTE.plus(limits::LISTED_FOR);
        assert!(!state.make_room(MINUTE, 2), "all are listed");
        let record = Batch::of(&state, later, 3).record(None, data(&["c"]));
        let mut record = record.unwrap().unwrap();
        record.data[0].at = later.plus(std::time::Duration::from_secs(60));
        state.apply(1, later, &record);
        let later = record.data[0].at;
        assert!(!state.make_room(later, 4), "there is room");
        assert!(state.make_room(later, 3));
        assert_eq!((state.index.len(), state.index.next()), (1, SeriesId(3)));
        assert!(!state.make_room(later, 1), "it was looked a moment ago");
    }
}
