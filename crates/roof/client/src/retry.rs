//! When a call is made again, and how long before that.

use std::time::Duration;

/// How often a call is made before it has failed. Waits grow twofold with jitter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The longest wait before the second attempt.
    pub base: Duration,
    /// The longest wait before any.
    pub cap: Duration,
}

impl Retry {
    /// One attempt: for callers that do their own.
    pub const OFF: Retry = Retry {
        attempts: 1,
        base: Duration::ZERO,
        cap: Duration::ZERO,
    };

    /// The wait after `tries` failures: between half and all of what the exponent allows, as `chance` falls.
    pub fn pause(&self, tries: u32, chance: u64) -> Duration {
        let full = self
            .base
            .saturating_mul(1 << tries.saturating_sub(1).min(16))
            .min(self.cap);
        let share = 0.5 + (chance as f64 / u64::MAX as f64) / 2.0;
        full.mul_f64(share)
    }
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            base: Duration::from_millis(100),
            cap: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_cap_and_never_vanish() {
        let retry = Retry::default();
        for (tries, most) in [(1, 100), (2, 200), (3, 400), (7, 5000), (60, 5000)] {
            assert_eq!(retry.pause(tries, u64::MAX), Duration::from_millis(most));
            assert_eq!(retry.pause(tries, 0), Duration::from_millis(most / 2));
        }
        assert_eq!(Retry::OFF.pause(1, u64::MAX), Duration::ZERO);
    }
}
