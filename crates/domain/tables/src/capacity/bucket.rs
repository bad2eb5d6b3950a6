//! Units that come at a constant rate, and are kept for a while where they are not used.

use std::time::Duration;

/// A bucket of units. Whoever takes more than it holds leaves a debt, which is paid before anything
/// else is taken; no more is owed than it can hold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    /// Units a second.
    pub rate: f64,
    /// The most units that it holds.
    depth: f64,
    units: f64,
    filled: Duration,
}

impl Bucket {
    /// A full one that `rate` units a second come to, and that holds those of `seconds`.
    pub fn full(rate: f64, seconds: f64, now: Duration) -> Self {
        Self {
            rate,
            depth: rate * seconds,
            units: rate * seconds,
            filled: now,
        }
    }

    /// The same at another rate from `now` on: it keeps what it holds, as far as that still fits, and what it owes.
    pub fn at_rate(mut self, rate: f64, seconds: f64, now: Duration) -> Self {
        self.refill(now);
        let depth = rate * seconds;
        Self {
            rate,
            depth,
            units: self.units.clamp(-depth, depth),
            filled: self.filled,
        }
    }

    /// Whether something may be taken: while nothing is owed, and not everything is used.
    pub fn has_some(&mut self, now: Duration) -> bool {
        self.refill(now);
        self.units > 0.0
    }

    /// Takes units, whether it has them or not. No more is owed than a full bucket holds, so that one call that turned out
    /// to be dear shuts nobody out for longer than a full bucket lasts.
    pub fn take(&mut self, units: f64) {
        self.units = (self.units - units).max(-self.depth);
    }

    fn refill(&mut self, now: Duration) {
        let gained = now.saturating_sub(self.filled).as_secs_f64() * self.rate;
        self.units = (self.units + gained).min(self.depth);
        self.filled = self.filled.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn what_is_not_used_is_kept_and_what_is_owed_is_paid() {
        let mut bucket = Bucket::full(5.0, 300.0, AT(0));
        bucket.take(1499.0);
        assert!(bucket.has_some(AT(0)));
        bucket.take(11.0);
        assert!(!bucket.has_some(AT(2)), "ten were owed");
        assert!(bucket.has_some(AT(3)));
        bucket.take(5.0);
        assert!(!bucket.has_some(AT(3)));
        assert!(bucket.has_some(AT(1000)));
        bucket.take(1500.0);
        assert!(!bucket.has_some(AT(1000)), "no more is kept");
    }

    #[test]
    fn no_more_is_owed_than_it_holds() {
        let mut bucket = Bucket::full(5.0, 300.0, AT(0));
        bucket.take(1_000_000.0);
        assert!(!bucket.has_some(AT(300)));
        assert!(bucket.has_some(AT(301)));
        let mut dear = Bucket::full(1000.0, 300.0, AT(0));
        dear.take(310_000.0);
        let mut lowered = dear.at_rate(1.0, 300.0, AT(0));
        assert!(!lowered.has_some(AT(300)));
        assert!(lowered.has_some(AT(301)));
    }

    #[test]
    fn another_rate_keeps_what_is_there() {
        let mut bucket = Bucket::full(10.0, 1.0, AT(0));
        bucket.take(20.0);
        let mut faster = bucket.at_rate(40.0, 1.0, AT(1));
        assert!(!faster.has_some(AT(1)), "nothing is left over");
        assert!(faster.has_some(AT(2)));
        let mut slower = Bucket::full(10.0, 1.0, AT(0)).at_rate(1.0, 1.0, AT(0));
        slower.take(1.0);
        assert!(!slower.has_some(AT(0)));
    }
}
