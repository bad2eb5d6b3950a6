//! A shard's limits in both directions, as token buckets that hold one second's worth.

use std::time::Duration;

use parking_lot::Mutex;

use crate::limits::{READ_BYTES, READ_CALLS, WRITE_BYTES, WRITE_RECORDS};

/// Tokens that refill at a constant rate up to what one second brings.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Duration,
}

impl Bucket {
    /// A full one that lets `rate` through a second.
    pub fn of(rate: f64) -> Self {
        Self {
            rate,
            tokens: rate,
            filled: Duration::ZERO,
        }
    }

    fn refill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.rate);
        self.filled = self.filled.max(now);
    }

    /// How long it takes from `now` until something may be taken; zero when it may be now.
    pub fn wait(&mut self, now: Duration) -> Duration {
        self.refill(now);
        if self.tokens > 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64((1.0 - self.tokens) / self.rate)
        }
    }

    /// Takes `cost`, and leaves a debt where there is not enough.
    pub fn take(&mut self, cost: f64) {
        self.tokens -= cost;
    }

    /// Whether `cost` may be taken. A cost over a full bucket waits for a full one and leaves a debt.
    fn holds(&self, cost: f64) -> bool {
        self.tokens >= cost.min(self.rate)
    }
}

/// The limits of one shard, and what it has let through lately.
#[derive(Debug)]
pub(crate) struct Throttle {
    write: Mutex<Writes>,
    read: Mutex<Reads>,
}

#[derive(Debug)]
struct Writes {
    bytes: Bucket,
    records: Bucket,
}

#[derive(Debug)]
struct Reads {
    bytes: Bucket,
    calls: Bucket,
}

impl Default for Throttle {
    fn default() -> Self {
        let write = Writes {
            bytes: Bucket::of(WRITE_BYTES),
            records: Bucket::of(WRITE_RECORDS),
        };
        let read = Reads {
            bytes: Bucket::of(READ_BYTES),
            calls: Bucket::of(READ_CALLS),
        };
        Self {
            write: Mutex::new(write),
            read: Mutex::new(read),
        }
    }
}

impl Throttle {
    /// For each size in turn whether a record of that many bytes may be written now.
    pub fn admit_writes(&self, now: Duration, sizes: impl Iterator<Item = usize>) -> Vec<bool> {
        let mut writes = self.write.lock();
        writes.bytes.refill(now);
        writes.records.refill(now);
        sizes.map(|size| writes.admit(size as f64)).collect()
    }

    /// Whether a read may be made now; [`Self::charge_read`] then tells how much it returned.
    pub fn admit_read(&self, now: Duration) -> bool {
        let mut reads = self.read.lock();
        reads.bytes.refill(now);
        reads.calls.refill(now);
        let admitted = reads.calls.holds(1.0) && reads.bytes.tokens > 0.0;
        if admitted {
            reads.calls.tokens -= 1.0;
        }
        admitted
    }

    /// Counts what a read returned. A read of more than a second's worth also forfeits what was left, so that after
    /// 10 MiB a shard is silent for 5 seconds (AWS's guide on GetRecords).
    pub fn charge_read(&self, bytes: usize) {
        let bucket = &mut self.read.lock().bytes;
        let bytes = bytes as f64;
        bucket.tokens = if bytes > bucket.rate {
            bucket.tokens.min(0.0)
        } else {
            bucket.tokens
        } - bytes;
    }
}

impl Writes {
    fn admit(&mut self, size: f64) -> bool {
        let admitted = self.records.holds(1.0) && self.bytes.holds(size);
        if admitted {
            self.records.tokens -= 1.0;
            self.bytes.tokens -= size;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn admit(throttle: &Throttle, at_ms: u64, sizes: &[usize]) -> Vec<bool> {
        throttle.admit_writes(Duration::from_millis(at_ms), sizes.iter().copied())
    }

    #[test]
    fn a_second_takes_a_thousand_records() {
        let throttle = Throttle::default();
        let first = admit(&throttle, 0, &[1; 1200]);
        assert_eq!(first.iter().filter(|taken| **taken).count(), 1000);
        assert!(!first[1000]);
        assert_eq!(
            admit(&throttle, 100, &[1; 200])
                .iter()
                .filter(|taken| **taken)
                .count(),
            100
        );
    }

    #[test]
    fn a_second_takes_a_mebibyte_and_small_records_pass_where_large_ones_do_not() {
        let throttle = Throttle::default();
        assert_eq!(
            admit(&throttle, 0, &[MIB - 10, 11, 10, 1]),
            [true, false, true, false]
        );
        assert_eq!(admit(&throttle, 1000, &[MIB]), [true]);
    }

    #[test]
    fn a_record_over_a_mebibyte_is_taken_and_paid_off() {
        let throttle = Throttle::default();
        assert_eq!(admit(&throttle, 0, &[4 * MIB]), [true]);
        assert_eq!(admit(&throttle, 2900, &[1]), [false]);
        assert_eq!(admit(&throttle, 3100, &[1]), [true]);
    }

    #[test]
    fn a_shard_answers_five_reads_a_second_and_rests_after_a_large_one() {
        let throttle = Throttle::default();
        let at = Duration::from_millis;
        let reads = (0..6)
            .map(|_| throttle.admit_read(at(0)))
            .collect::<Vec<_>>();
        assert_eq!(reads, [true, true, true, true, true, false]);
        assert!(throttle.admit_read(at(200)));
        throttle.charge_read(10 * MIB);
        assert!(!throttle.admit_read(at(5199)));
        assert!(throttle.admit_read(at(5201)));
    }
}
