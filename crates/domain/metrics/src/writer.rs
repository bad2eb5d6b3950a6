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
}

impl Writer {
    /// Writes until the store is closed.
    pub async fn run(self, mut waiting: mpsc::Receiver<Put>) {
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

    async fn write(&self, puts: Vec<Put>) {
        if let Err(error) = self.room().await {
            for put in puts {
                let _ = put.done.send(Err(error.clone()));
            }
            return;
        }
        let now = self.core.env.clock.now();
        let beside: Vec<_> = puts.iter().filter_map(|put| put.beside.clone()).collect();
        let (records, answers) = Batch::of(&self.core.state.read(), now).take(puts);
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
    new: HashMap<Vec<u8>, SeriesId>,
    next: SeriesId,
    last_minute: Option<Millis>,
}

/// A caller's answer, and why the put was refused if it was.
type Answer = (oneshot::Sender<Result<(), Error>>, Option<Error>);

impl<'a> Batch<'a> {
    fn of(state: &'a State, now: Millis) -> Self {
        Self {
            state,
            now,
            new: HashMap::new(),
            next: state.index.next(),
            last_minute: state.last_minute,
        }
    }

    fn take(mut self, puts: Vec<Put>) -> (Vec<Record>, Vec<Answer>) {
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

    /// The record of a put; none for a minute that is there.
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
            let series = self.series(datum.metric.series_key(datum.unit), &mut record.new);
            record.data.push(self.entry(series, datum));
        }
        let bytes: usize = self.new.keys().map(Vec::len).sum();
        if self.state.index.len() + self.new.len() > limits::SERIES_MAX
            || self.state.index.bytes() + bytes > limits::SERIES_BYTES_MAX
        {
            self.forget(record);
            let max = limits::SERIES_MAX;
            return Err(Error::TooManySeries { max });
        }
        self.last_minute = self.last_minute.max(minute);
        Ok(Some(record))
    }

    fn series(&mut self, key: Vec<u8>, new: &mut Vec<Vec<u8>>) -> SeriesId {
        if let Some(id) = self
            .state
            .index
            .find(&key)
            .or_else(|| self.new.get(&key).copied())
        {
            return id;
        }
        let id = self.next;
        self.next = SeriesId(id.0 + 1);
        new.push(key.clone());
        self.new.insert(key, id);
        id
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
            self.new.remove(&key);
        }
        self.next = record.first_new;
    }
}
