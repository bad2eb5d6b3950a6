//! How much goes through what is paid for by the request: so much at first, and from then on twice as much as ever did.

use std::time::Duration;

use crate::limits::{GROWTH_PERIOD, PEAK_PERIOD, TABLE_UNITS};

/// The limit of what is paid for by the request, in one direction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Growth {
    /// Units a second that go through.
    pub limit: f64,
    /// The most units a second that went through, on the average of a minute.
    peak: f64,
    /// When the limit was looked at last.
    grown: Duration,
    /// When the minute began that is being measured.
    minute: Duration,
    /// Units of that minute.
    units: f64,
}

impl Growth {
    /// A limit that begins with so many units a second.
    pub fn from(limit: f64, now: Duration) -> Self {
        Self {
            limit: limit.min(TABLE_UNITS),
            peak: 0.0,
            grown: now,
            minute: now,
            units: 0.0,
        }
    }

    /// Whether it has come to what one table of an account may take.
    pub fn is_at_quota(&self) -> bool {
        self.limit >= TABLE_UNITS
    }

    /// Counts units that went through at `now`; whether the limit is another one now.
    pub fn count(&mut self, units: f64, now: Duration) -> bool {
        if now.saturating_sub(self.minute) >= PEAK_PERIOD {
            self.peak = self.peak.max(self.units / PEAK_PERIOD.as_secs_f64());
            (self.minute, self.units) = (now, 0.0);
        }
        self.units += units;
        if now.saturating_sub(self.grown) < GROWTH_PERIOD {
            return false;
        }
        self.grown = now;
        let before = self.limit;
        self.limit = before.max(2.0 * self.peak).min(TABLE_UNITS);
        self.limit > before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_the_peak_every_half_hour_up_to_the_quota() {
        let mut growth = Growth::from(4000.0, Duration::ZERO);
        let mut limits = vec![growth.limit];
        for second in 1..=4 * 1800 {
            let now = Duration::from_secs(second);
            if growth.count(growth.limit, now) {
                limits.push(growth.limit.round());
            }
        }
        assert_eq!(limits, [4000.0, 8000.0, 16_000.0, 32_000.0, 40_000.0]);
        assert!(growth.is_at_quota());
    }

    #[test]
    fn little_use_leaves_the_limit() {
        let mut growth = Growth::from(4000.0, Duration::ZERO);
        let changed = (1..10_000).any(|second| growth.count(1.0, Duration::from_secs(second)));
        assert!(!changed);
        assert_eq!(growth.limit, 4000.0);
    }
}
