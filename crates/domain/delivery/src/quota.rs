//! How much may be put into a delivery stream: AWS's quotas of direct puts, as token buckets that hold one second's
//! worth.

use std::time::Duration;

/// The most that all puts into one delivery stream may bring a second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quotas {
    /// Calls, of one record or many.
    pub requests: f64,
    /// Records.
    pub records: f64,
    /// Bytes of data.
    pub bytes: f64,
}

const MIB: f64 = 1024.0 * 1024.0;

impl Quotas {
    /// The default quotas of a region (AWS's page on quotas of Data Firehose, "Direct PUT").
    pub fn of_region(region: &str) -> Self {
        match region {
            "us-east-1" | "us-west-2" | "eu-west-1" => Self {
                requests: 2_000.0,
                records: 500_000.0,
                bytes: 5.0 * MIB,
            },
            _ => Self {
                requests: 1_000.0,
                records: 100_000.0,
                bytes: MIB,
            },
        }
    }
}

/// The rate limiter of one delivery stream: tokens of each quota that are left.
#[derive(Debug)]
pub(crate) struct Limiter {
    requests: Bucket,
    records: Bucket,
    bytes: Bucket,
}

#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Duration,
}

impl Limiter {
    pub fn new(quotas: Quotas) -> Self {
        let bucket = |rate| Bucket {
            rate,
            tokens: rate,
            filled: Duration::ZERO,
        };
        Self {
            requests: bucket(quotas.requests),
            records: bucket(quotas.records),
            bytes: bucket(quotas.bytes),
        }
    }

    /// Lets a put of records of these sizes in: for each record whether there is room for it. Nothing where there is
    /// none for another call.
    pub fn admit(
        &mut self,
        now: Duration,
        sizes: impl Iterator<Item = usize>,
    ) -> Option<Vec<bool>> {
        let buckets = [&mut self.requests, &mut self.records, &mut self.bytes];
        buckets.into_iter().for_each(|bucket| bucket.refill(now));
        if !self.requests.holds(1.0) {
            return None;
        }
        self.requests.tokens -= 1.0;
        Some(sizes.map(|bytes| self.admit_record(bytes as f64)).collect())
    }

    fn admit_record(&mut self, bytes: f64) -> bool {
        let has_room = self.records.holds(1.0) && self.bytes.holds(bytes);
        if has_room {
            self.records.tokens -= 1.0;
            self.bytes.tokens -= bytes;
        }
        has_room
    }
}

impl Bucket {
    fn refill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.rate);
        self.filled = self.filled.max(now);
    }

    fn holds(&self, cost: f64) -> bool {
        self.tokens >= cost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_quota_holds_by_itself_and_refills_in_a_second() {
        for (records, bytes, times) in [(1, 0, 2_000), (500, 0, 1_000), (1, 1 << 20, 5)] {
            let mut limiter = Limiter::new(Quotas::of_region("us-east-1"));
            for now in [Duration::ZERO, SECOND] {
                let whole = |_: &i32| {
                    let admitted = limiter.admit(now, std::iter::repeat_n(bytes, records));
                    admitted.is_some_and(|admitted| admitted.iter().all(|is| *is))
                };
                assert_eq!((0..3_000).filter(whole).count(), times);
            }
        }
    }

    #[test]
    fn each_record_of_a_batch_is_taken_where_it_finds_room() {
        let mut limiter = Limiter::new(Quotas::of_region("eu-north-1"));
        let sizes = [1 << 19, 1 << 20, 1 << 19, 1];
        let first = limiter.admit(Duration::ZERO, sizes.into_iter());
        assert_eq!(first, Some(vec![true, false, true, false]));
        let none = limiter.admit(Duration::ZERO, [1].into_iter());
        assert_eq!(none, Some(vec![false]));
        let later = limiter.admit(SECOND, sizes.into_iter());
        assert_eq!(later, Some(vec![true, false, true, false]));
    }

    #[test]
    fn a_call_beyond_the_quota_of_calls_takes_no_record() {
        let mut limiter = Limiter::new(Quotas {
            requests: 1.0,
            records: 10.0,
            bytes: 10.0,
        });
        assert_eq!(limiter.admit(SECOND, [1].into_iter()), Some(vec![true]));
        assert_eq!(limiter.admit(SECOND, [1].into_iter()), None);
    }
}
