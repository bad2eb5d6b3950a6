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

    /// Lets a put in, or takes nothing.
    pub fn admit(&mut self, now: Duration, records: usize, bytes: usize) -> bool {
        let costs = [1.0, records as f64, bytes as f64];
        let mut buckets = [&mut self.requests, &mut self.records, &mut self.bytes];
        buckets.iter_mut().for_each(|bucket| bucket.refill(now));
        let admitted = buckets
            .iter()
            .zip(costs)
            .all(|(bucket, cost)| bucket.holds(cost));
        if admitted {
            buckets
                .iter_mut()
                .zip(costs)
                .for_each(|(bucket, cost)| bucket.tokens -= cost);
        }
        admitted
    }
}

impl Bucket {
    fn refill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.rate);
        self.filled = self.filled.max(now);
    }

    /// Whether `cost` may be taken. A put that costs more than a full bucket, as a batch of 4 MiB does where a second
    /// brings 1 MiB, waits for a full one and leaves a debt.
    fn holds(&self, cost: f64) -> bool {
        self.tokens >= cost.min(self.rate)
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
            let admitted = (0..3_000)
                .filter(|_| limiter.admit(Duration::ZERO, records, bytes))
                .count();
            assert_eq!(admitted, times);
            let admitted = (0..3_000)
                .filter(|_| limiter.admit(SECOND, records, bytes))
                .count();
            assert_eq!(admitted, times);
        }
    }

    #[test]
    fn a_batch_over_a_seconds_worth_is_taken_and_paid_off() {
        let mut limiter = Limiter::new(Quotas::of_region("eu-north-1"));
        assert!(limiter.admit(Duration::ZERO, 4, 4 << 20));
        assert!(!limiter.admit(3 * SECOND, 1, 1));
        assert!(limiter.admit(4 * SECOND, 1, 1 << 20));
    }
}
