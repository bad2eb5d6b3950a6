//! Reading shards, and seeing that what they hold is what was put.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use headwater_shapes::Tree;
use headwater_shapes_kinesis as kinesis;
use http::HeaderValue;
use serde::Serialize;

use crate::{
    bench::{
        calls::read_page,
        connection::{Connection, Failure},
        endpoint::Endpoint,
        meter::{Meter, Window},
        payload::{Data, Payload, RecordCheck, Stamp, Tally},
        put::Put,
        together,
    },
    limits::{BENCH_FAILURES_MAX, BENCH_PAUSE},
};

const GET_RECORDS: HeaderValue = HeaderValue::from_static("Kinesis_20131202.GetRecords");
const GET_SHARD_ITERATOR: HeaderValue =
    HeaderValue::from_static("Kinesis_20131202.GetShardIterator");

/// The endpoint, the stream and the sizes that all readers of a run share.
pub struct Reading {
    /// Where to read.
    pub endpoint: Arc<Endpoint>,
    /// The stream's name.
    pub stream: String,
    /// The payload that its records hold.
    pub payload: Payload,
    /// Records a page.
    pub page: i32,
}

/// The counts of records that were read, compared with what was put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// The run's records.
    pub tally: Tally,
    /// Records of the run with other content than was put.
    pub damaged: u64,
    /// Records whose sequence number is not above that before it.
    pub out_of_order: u64,
    /// Records of others.
    pub foreign: u64,
}

impl ReadCounts {
    /// Takes in a record that stands behind the one of number `last`; its stamp, if it is one of the run's.
    pub fn take(
        &mut self,
        payload: &Payload,
        last: &mut String,
        number: &str,
        data: Data<'_>,
    ) -> Option<Stamp> {
        self.out_of_order += u64::from((last.len(), last.as_str()) >= (number.len(), number));
        last.clear();
        last.push_str(number);
        match payload.check(data) {
            RecordCheck::Ours(stamp) => {
                self.tally.add(stamp.serial);
                return Some(stamp);
            }
            RecordCheck::Damaged => self.damaged += 1,
            RecordCheck::Foreign => self.foreign += 1,
        }
        None
    }

    /// Takes in what another saw.
    pub fn merge(&mut self, other: ReadCounts) {
        self.tally.merge(other.tally);
        self.damaged += other.damaged;
        self.out_of_order += other.out_of_order;
        self.foreign += other.foreign;
    }
}

/// One read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Step {
    /// Records in it.
    pub records: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Whether nothing lay behind them.
    pub at_tip: bool,
    /// How long the call took.
    pub took: Duration,
}

/// A place in a shard.
pub struct Cursor {
    reading: Arc<Reading>,
    shard: String,
    start: &'static str,
    iterator: Option<String>,
    last: String,
    ended: bool,
    /// The counts so far.
    pub seen: ReadCounts,
}

impl Cursor {
    /// A cursor at `TRIM_HORIZON` or `LATEST`.
    pub fn new(reading: Arc<Reading>, shard: &str, start: &'static str) -> Self {
        let (shard, last) = (shard.to_owned(), String::new());
        Self {
            reading,
            shard,
            start,
            iterator: None,
            last,
            ended: false,
            seen: ReadCounts::default(),
        }
    }

    /// Takes its place, so that what is put from now on lies behind it.
    pub async fn place(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let (kind, number) = match self.last.is_empty() {
            true => (self.start, None),
            false => ("AFTER_SEQUENCE_NUMBER", Some(self.last.clone())),
        };
        let input = kinesis::GetShardIteratorInput {
            stream_name: Some(self.reading.stream.clone()),
            shard_id: self.shard.clone(),
            shard_iterator_type: kind.to_owned(),
            starting_sequence_number: number,
            ..Default::default()
        };
        let codec = connection.codec();
        let answer = connection
            .call(GET_SHARD_ITERATOR, codec.write(&input.to_value()))
            .await?;
        let output = kinesis::GetShardIteratorOutput::from_value(codec.read(&answer)?)
            .map_err(|error| Failure::unreadable(&error))?;
        self.iterator = output.shard_iterator;
        Ok(())
    }

    /// Reads one page, and gives the stamps of the run's records to `take`.
    pub async fn step(
        &mut self,
        connection: &mut Connection,
        take: impl FnMut(Stamp),
    ) -> Result<Step, Failure> {
        if self.ended {
            return Ok(Step {
                at_tip: true,
                ..Step::default()
            });
        }
        if self.iterator.is_none() {
            self.place(connection).await?;
        }
        let input = kinesis::GetRecordsInput {
            shard_iterator: self.iterator.clone().unwrap_or_default(),
            limit: Some(self.reading.page),
            ..Default::default()
        };
        let (clock, codec) = (self.reading.endpoint.env.clock.clone(), connection.codec());
        let started = clock.elapsed();
        let answer = connection.call(GET_RECORDS, codec.write(&input)).await;
        let took = clock.elapsed() - started;
        if answer
            .as_ref()
            .is_err_and(|failure| failure.code == "ExpiredIteratorException")
        {
            self.iterator = None;
        }
        self.take_page(&answer?, take)
            .map(|step| Step { took, ..step })
    }

    fn take_page(&mut self, answer: &[u8], mut take: impl FnMut(Stamp)) -> Result<Step, Failure> {
        let (seen, last, payload) = (&mut self.seen, &mut self.last, &self.reading.payload);
        let mut step = Step::default();
        let page = read_page(self.reading.endpoint.codec, answer, |number, data| {
            step.records += 1;
            step.bytes += data.len() as u64;
            if let Some(stamp) = seen.take(payload, last, number, data) {
                take(stamp);
            }
        })?;
        self.ended = page.next.is_none();
        self.iterator = page.next;
        // Some servers say at each page that nothing lies behind it: a full one is not believed.
        let is_full = step.records >= u64::from(self.reading.page.unsigned_abs());
        Ok(Step {
            at_tip: (page.at_tip && !is_full) || self.ended,
            ..step
        })
    }

    /// Reads to the shard's tip, or until `until`; whether it came to the tip.
    pub async fn read_to_tip(
        &mut self,
        connection: &mut Connection,
        meter: &mut Meter,
        window: Window,
    ) -> Result<bool, Failure> {
        let env = self.reading.endpoint.env.clone();
        let mut failures = 0;
        loop {
            let step = self.step(connection, drop).await;
            let now = env.clock.elapsed();
            count(meter, window, now, &step);
            match step {
                Ok(step) if step.at_tip => return Ok(true),
                Ok(_) => failures = 0,
                Err(failure) => {
                    failures = if failure.throttled { 0 } else { failures + 1 };
                    if failures >= BENCH_FAILURES_MAX {
                        return Err(failure);
                    }
                    env.clock.sleep(BENCH_PAUSE).await;
                }
            }
            if now >= window.to {
                return Ok(false);
            }
        }
    }
}

/// Counts a read, where it ended in the window.
pub fn count(meter: &mut Meter, window: Window, now: Duration, step: &Result<Step, Failure>) {
    match step {
        _ if !window.holds(now) => {}
        Ok(step) => meter.success(step.took, step.records, step.bytes),
        Err(failure) => meter.failure(failure),
    }
}

/// Reads all `shards` once, over that many connections; what each of them holds.
pub async fn sweep(
    reading: &Arc<Reading>,
    shards: &[String],
    connections: usize,
) -> Result<Vec<(String, ReadCounts)>, Failure> {
    let next = Arc::new(AtomicUsize::new(0));
    let shards: Arc<[String]> = shards.into();
    let workers = (0..connections.min(shards.len())).map(|_| {
        let (reading, next, shards) = (reading.clone(), next.clone(), shards.clone());
        async move {
            let mut connection = Connection::new(reading.endpoint.clone());
            let mut all = Vec::new();
            while let Some(shard) = shards.get(next.fetch_add(1, Relaxed)) {
                let mut cursor = Cursor::new(reading.clone(), shard, "TRIM_HORIZON");
                cursor
                    .read_to_tip(&mut connection, &mut Meter::default(), Window::ALWAYS)
                    .await?;
                all.push((shard.clone(), cursor.seen));
            }
            Ok::<_, Failure>(all)
        }
    });
    let swept = together(&reading.endpoint.env, workers).await;
    Ok(swept
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .flatten()
        .collect())
}

/// Whether what was read is what was put.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// Whether nothing is missing, doubled, damaged or out of order.
    pub exact: bool,
    /// Records acknowledged.
    pub acknowledged: u64,
    /// Records read.
    pub read: u64,
    /// Records of calls that failed without telling whether they were stored.
    pub unclear: u64,
    /// Records that are not as they were put.
    pub damaged: u64,
    /// Records whose sequence number is not above that before it.
    pub out_of_order: u64,
    /// Records that are not of this run.
    pub foreign: u64,
}

impl Verification {
    /// Compares.
    pub fn of(put: &Put, seen: ReadCounts) -> Self {
        let (acknowledged, read) = (put.stored.records, seen.tally.records);
        let same = match put.unclear {
            0 => seen.tally == put.stored,
            unclear => (acknowledged..=acknowledged + unclear).contains(&read),
        };
        Self {
            exact: same && seen.damaged == 0 && seen.out_of_order == 0,
            acknowledged,
            read,
            unclear: put.unclear,
            damaged: seen.damaged,
            out_of_order: seen.out_of_order,
            foreign: seen.foreign,
        }
    }

    /// Both of two.
    pub fn and(self, other: Self) -> Self {
        Self {
            exact: self.exact && other.exact,
            acknowledged: self.acknowledged + other.acknowledged,
            read: self.read + other.read,
            unclear: self.unclear + other.unclear,
            damaged: self.damaged + other.damaged,
            out_of_order: self.out_of_order + other.out_of_order,
            foreign: self.foreign + other.foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(serials: impl IntoIterator<Item = u64>) -> Tally {
        let mut tally = Tally::default();
        serials.into_iter().for_each(|serial| tally.add(serial));
        tally
    }

    #[test]
    fn what_was_read_is_exact_or_within_what_is_unclear() {
        let put = |unclear| Put {
            stored: tally(0..10),
            unclear,
            ..Put::default()
        };
        let seen = |tally| ReadCounts {
            tally,
            ..ReadCounts::default()
        };
        assert!(Verification::of(&put(0), seen(tally(0..10))).exact);
        assert!(!Verification::of(&put(0), seen(tally(0..9))).exact);
        assert!(!Verification::of(&put(0), seen(tally(1..11))).exact);
        assert!(Verification::of(&put(5), seen(tally(0..15))).exact);
        assert!(!Verification::of(&put(5), seen(tally(0..16))).exact);
        let damaged = ReadCounts {
            damaged: 1,
            ..seen(tally(0..10))
        };
        assert!(!Verification::of(&put(0), damaged).exact);
    }
}
