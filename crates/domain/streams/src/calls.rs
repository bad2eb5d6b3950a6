//! Counting the calls of a stream: how many there were of each kind, how they ended and how long they took.

use std::time::Duration;

use headwater_types::{Tallied, Tally};

use crate::{Placed, PutError};

/// The calls of a stream since they were taken last. Each value is one call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamCalls {
    /// Puts of one record.
    pub put_one: PutCalls,
    /// Puts of several.
    pub put_many: PutCalls,
    /// Reads within the limits of shards.
    pub read: CallTimes,
}

/// How calls ended, and how long they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallTimes {
    /// 1 for a call that did something, 0 for one that did not.
    pub success: Option<Tallied>,
    /// How long a call took that did something, in microseconds.
    pub micros: Option<Tallied>,
}

/// Puts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PutCalls {
    /// How they ended: a put of several did something where one of them was taken.
    pub times: CallTimes,
    /// Bytes of data and partition keys that a call put.
    pub bytes: Option<Tallied>,
    /// Records of a call; told of puts of several alone, as all that follows.
    pub records: Option<Tallied>,
    /// Records of a call that were taken.
    pub taken: Option<Tallied>,
    /// Records of a call that the limits refused.
    pub throttled: Option<Tallied>,
    /// Records of a call that something else kept from being taken.
    pub failed: Option<Tallied>,
}

/// The counters behind [`StreamCalls`].
#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub put_one: Puts,
    pub put_many: Puts,
    pub read: Times,
}

#[derive(Debug, Default)]
pub(crate) struct Times {
    success: Tally,
    micros: Tally,
}

#[derive(Debug, Default)]
pub(crate) struct Puts {
    times: Times,
    bytes: Tally,
    records: Tally,
    taken: Tally,
    throttled: Tally,
    failed: Tally,
}

impl Calls {
    /// What was counted since this was asked last.
    pub fn take(&self) -> StreamCalls {
        StreamCalls {
            put_one: self.put_one.take(),
            put_many: self.put_many.take(),
            read: self.read.take(),
        }
    }
}

impl Times {
    /// A call ended.
    pub fn ended(&self, has_done: bool, took: Duration) {
        self.success.add(has_done.into());
        if has_done {
            self.micros.add(took.as_micros() as u64);
        }
    }

    fn take(&self) -> CallTimes {
        CallTimes {
            success: self.success.take(),
            micros: self.micros.take(),
        }
    }
}

impl Puts {
    /// A call of one record ended, which has so many bytes.
    pub fn put_one(&self, is_taken: bool, bytes: usize, took: Duration) {
        self.times.ended(is_taken, took);
        if is_taken {
            self.bytes.add(bytes as u64);
        }
    }

    /// A call of several ended, which have so many bytes each.
    pub fn put_many(
        &self,
        results: &[Result<Placed, PutError>],
        sizes: impl Iterator<Item = usize>,
        took: Duration,
    ) {
        let (mut taken, mut throttled, mut bytes) = (0, 0, 0);
        for (result, size) in results.iter().zip(sizes) {
            match result {
                Ok(_) => {
                    taken += 1;
                    bytes += size as u64;
                }
                Err(PutError::Throttled(_)) => throttled += 1,
                Err(PutError::Closed(_) | PutError::Log(_)) => {}
            }
        }
        let records = results.len() as u64;
        self.times.ended(taken > 0, took);
        self.bytes.add(bytes);
        self.records.add(records);
        self.taken.add(taken);
        self.throttled.add(throttled);
        self.failed.add(records - taken - throttled);
    }

    fn take(&self) -> PutCalls {
        PutCalls {
            times: self.times.take(),
            bytes: self.bytes.take(),
            records: self.records.take(),
            taken: self.taken.take(),
            throttled: self.throttled.take(),
            failed: self.failed.take(),
        }
    }
}
