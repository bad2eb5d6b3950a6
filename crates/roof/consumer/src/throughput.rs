//! How much a shard gives, as leases tell it: a leader shares out leases by it.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

/// The weight of the newest measurement. (Source: KCL 3.5.1, `LeaseStatsRecorder`.)
const NEWEST: f64 = 0.5;

/// The bytes of one shard that came, and their average a second.
pub(crate) struct Throughput {
    /// Bytes since the last measurement.
    bytes: AtomicU64,
    last: Mutex<Last>,
}

struct Last {
    at: Duration,
    average: Option<f64>,
}

impl Throughput {
    /// Counts from `now` on.
    pub(crate) fn new(now: Duration) -> Self {
        let last = Last {
            at: now,
            average: None,
        };
        Self {
            bytes: AtomicU64::new(0),
            last: Mutex::new(last),
        }
    }

    pub(crate) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// The average in bytes a second; none before anything came.
    pub(crate) fn measure(&self, now: Duration) -> Option<u64> {
        let mut last = self.last.lock();
        let passed = now.saturating_sub(last.at).as_secs_f64();
        if passed > 0.0 {
            let bytes = self.bytes.swap(0, Ordering::Relaxed);
            let newest = bytes as f64 / passed;
            last.average = match last.average {
                Some(before) => Some(NEWEST * newest + (1.0 - NEWEST) * before),
                None => Some(newest).filter(|_| bytes > 0),
            };
            last.at = now;
        }
        last.average.map(|average| average.round() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_measurement_counts_as_much_as_all_before() {
        let throughput = Throughput::new(Duration::ZERO);
        let at = Duration::from_secs;
        assert_eq!(throughput.measure(at(1)), None);
        throughput.add(400);
        assert_eq!(throughput.measure(at(3)), Some(200));
        assert_eq!(throughput.measure(at(3)), Some(200));
        assert_eq!(throughput.measure(at(4)), Some(100));
        throughput.add(300);
        assert_eq!(throughput.measure(at(5)), Some(200));
    }
}
