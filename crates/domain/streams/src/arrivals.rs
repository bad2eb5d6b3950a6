//! What arrived in each minute, by the times of the records: counted where it is put, and held against the log, which
//! knows the truth.
//!
//! A put counts when its records are durable. Not every one does: its caller may hang up before, and a process that is killed
//! forgets what it counted. So whoever asks for a minute gets what was counted only where that is all that the log has of
//! the minute; else its records are read again.

use headwater_log::ReadLimit;
use headwater_types::{Millis, ShardIndex, Tallied};

use crate::{ReadRecord, Shard, Stream, Streams, limits::RECOUNT};

/// The records that arrived in a shard in one minute. Each value is what one call put into the shard; where that had to be
/// read again, what has the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// Records.
    pub records: Tallied,
    /// Bytes of data and partition keys.
    pub bytes: Tallied,
}

impl Arrived {
    fn one(records: u64, bytes: u64) -> Self {
        Self {
            records: Tallied::one(records),
            bytes: Tallied::one(bytes),
        }
    }

    /// What arrived in both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            records: self.records.and(other.records),
            bytes: self.bytes.and(other.bytes),
        }
    }
}

/// The records that arrive in a shard: all since the process started, and those of the last two minutes that had any.
#[derive(Debug, Default)]
pub(crate) struct Arriving {
    records: u64,
    bytes: u64,
    /// The newer first. A late call finds the minute before its own begun, and seldom more.
    minutes: [Option<(u64, Arrived)>; 2],
}

impl Arriving {
    /// A call put records, which arrived in `minute`.
    pub fn add(&mut self, minute: u64, records: u64, bytes: u64) {
        self.records += records;
        self.bytes += bytes;
        let one = Arrived::one(records, bytes);
        let known = self.minutes.iter_mut().flatten();
        for (of, arrived) in known {
            if *of == minute {
                *arrived = arrived.and(one);
                return;
            }
        }
        let [newer, older] = &mut self.minutes;
        if newer.is_none_or(|(newer, _)| newer < minute) {
            *older = newer.replace((minute, one));
        }
    }

    /// What is known of a minute.
    pub fn of(&self, minute: u64) -> Option<Arrived> {
        let mut known = self.minutes.iter().flatten();
        let (_, arrived) = known.find(|(of, _)| *of == minute)?;
        Some(*arrived)
    }

    /// All records and their bytes.
    pub fn totals(&self) -> (u64, u64) {
        (self.records, self.bytes)
    }
}

impl Streams {
    /// Returns once all records that can have arrived before this call show to [`Self::arrived`]; or the log takes none.
    pub async fn settle_log(&self) {
        if let Err(error) = self.log.settle().await {
            tracing::debug!(%error, "the log takes no records");
        }
    }

    /// What arrived in a minute in each of a stream's shards in which anything did. Exact once the minute is over and
    /// settled, as long as its records may be read.
    pub async fn arrived(&self, stream: &Stream, minute: u64) -> Vec<(ShardIndex, Arrived)> {
        let mut all = Vec::new();
        for shard in stream.shards() {
            let arrived = self.arrived_in(stream, shard, minute).await;
            all.extend(arrived.map(|arrived| (shard.record.index, arrived)));
        }
        all
    }

    async fn arrived_in(&self, stream: &Stream, shard: &Shard, minute: u64) -> Option<Arrived> {
        let counted = shard.live.counters.arrived(minute);
        let (from, to) = match self.range_of(shard, minute).await {
            Some((from, to)) => (from, to),
            // Removed meanwhile, or the log does not answer.
            None => return counted,
        };
        let known = counted.map_or(0, |counted| counted.records.sum);
        // Fewer than were counted: they have expired.
        if to.saturating_sub(from) <= known {
            return counted;
        }
        match self.recount(stream, shard, from, to).await {
            Ok(recounted) => recounted,
            Err(error) => {
                let (stream, shard) = (&stream.record.name, shard.record.index);
                tracing::warn!(%stream, %shard, %error, "what arrived in a minute could not be read again");
                counted
            }
        }
    }

    /// The offsets of the records that arrived in a minute; none where the log does not know the shard.
    async fn range_of(&self, shard: &Shard, minute: u64) -> Option<(u64, u64)> {
        let (start, end) = (Millis::of_minute(minute), Millis::of_minute(minute + 1));
        let state = self.log.state(shard.number).await.ok()?;
        if state.newest < start || state.first == state.end {
            return Some((state.end, state.end));
        }
        let from = self.log.offset_at(shard.number, start).await.ok()?;
        let to = match state.newest < end {
            true => state.end,
            false => self.log.offset_at(shard.number, end).await.ok()?,
        };
        Some((from, to))
    }

    /// Counts the records from `from` to before `to`.
    async fn recount(
        &self,
        stream: &Stream,
        shard: &Shard,
        mut from: u64,
        to: u64,
    ) -> Result<Option<Arrived>, crate::Error> {
        let mut calls = SameTime::default();
        while from < to {
            let limit = ReadLimit {
                records: RECOUNT.records.min((to - from) as usize),
                ..RECOUNT
            };
            let chunk = self.read_unlimited(stream, shard, from, limit).await?;
            if chunk.next <= from {
                break;
            }
            from = chunk.next;
            chunk.records.iter().for_each(|record| calls.add(record));
        }
        Ok(calls.all())
    }

    /// The first minute from `from` on in which anything arrived in any stream, as far as that may be read.
    pub async fn next_arrival(&self, from: u64) -> Option<u64> {
        let start = Millis::of_minute(from);
        let mut first: Option<u64> = None;
        for stream in self.all() {
            for shard in stream.shards() {
                let found = self.first_since(&stream, shard, start).await;
                first = first.into_iter().chain(found).min();
            }
        }
        first
    }

    /// The minute of the shard's first record at `start` or later.
    async fn first_since(&self, stream: &Stream, shard: &Shard, start: Millis) -> Option<u64> {
        let state = self.log.state(shard.number).await.ok()?;
        if state.newest < start {
            return None;
        }
        let offset = self.log.offset_at(shard.number, start).await.ok()?;
        let one = ReadLimit {
            records: 1,
            bytes: 0,
        };
        let read = self.read_unlimited(stream, shard, offset, one).await;
        let first = read.ok()?.records.first()?.time;
        Some(first.minute())
    }
}

/// Records that are counted again, in order: those of one time as what one call put.
#[derive(Default)]
struct SameTime {
    before: Option<Arrived>,
    /// The time, records and bytes of the newest.
    now: Option<(Millis, u64, u64)>,
}

impl SameTime {
    fn add(&mut self, record: &ReadRecord) {
        let bytes = record.bytes() as u64;
        match &mut self.now {
            Some((time, records, sum)) if *time == record.time => {
                *records += 1;
                *sum += bytes;
            }
            _ => {
                self.before = self.all();
                self.now = Some((record.time, 1, bytes));
            }
        }
    }

    fn all(&self) -> Option<Arrived> {
        let now = self
            .now
            .map(|(_, records, bytes)| Arrived::one(records, bytes));
        self.before.into_iter().chain(now).reduce(Arrived::and)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_minutes_are_known_and_one_that_comes_too_late_counts_in_the_totals_alone() {
        let mut arriving = Arriving::default();
        arriving.add(10, 1, 100);
        arriving.add(11, 2, 50);
        arriving.add(10, 3, 10);
        let tenth = Arrived::one(1, 100).and(Arrived::one(3, 10));
        assert_eq!(arriving.of(10), Some(tenth));
        assert_eq!((tenth.records.sum, tenth.bytes.least), (4, 10));
        arriving.add(14, 5, 5);
        arriving.add(10, 1, 1);
        assert_eq!(arriving.of(10), None);
        assert_eq!(arriving.of(11), Some(Arrived::one(2, 50)));
        assert_eq!(arriving.of(14), Some(Arrived::one(5, 5)));
        assert_eq!(arriving.of(13), None);
        assert_eq!(arriving.totals(), (12, 166));
    }
}
