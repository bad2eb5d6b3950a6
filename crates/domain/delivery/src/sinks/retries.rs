//! How long a delivery is tried again, and with what pauses.
//!
//! AWS's page on requests to HTTP endpoints: the first pause is a second, each further one twice as long up to two
//! minutes, all give or take 15 %. The retry duration counts from the first failure and leaves out what is spent
//! waiting for answers, so it is the pauses that use it up.

use std::time::Duration;

use headwater_env::Env;

use crate::{
    limits::{SINK_PAUSE_MAX, SINK_PAUSE_MIN},
    records::Failure,
};

/// The attempts at one delivery.
pub struct Retries<'a> {
    env: &'a Env,
    left: Duration,
    /// Attempts that were begun.
    pub attempts: u32,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptError {
    /// At what.
    pub failure: Failure,
    /// Another attempt would fail as well.
    pub is_permanent: bool,
}

impl AttemptError {
    /// A failure that another attempt may not meet.
    pub fn transient(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            failure: Failure::new(code, message),
            is_permanent: false,
        }
    }

    /// A failure that every attempt will meet.
    pub fn permanent(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            failure: Failure::new(code, message),
            is_permanent: true,
        }
    }
}

impl<'a> Retries<'a> {
    /// The first attempt of some that may go on for `seconds`.
    pub fn new(env: &'a Env, seconds: u32) -> Self {
        Self {
            env,
            left: Duration::from_secs(seconds.into()),
            attempts: 1,
        }
    }

    /// Counts time against the duration that was no pause.
    pub fn spend(&mut self, time: Duration) {
        self.left = self.left.saturating_sub(time);
    }

    /// Pauses before another attempt; false when there is to be none.
    pub async fn again(&mut self) -> bool {
        if self.left.is_zero() {
            return false;
        }
        let pause = pause(self.attempts, self.env.random.next_u64()).min(self.left);
        self.env.clock.sleep(pause).await;
        self.left -= pause;
        self.attempts += 1;
        true
    }
}

/// The pause after `attempts`, which `random` moves by 15 % at the most.
fn pause(attempts: u32, random: u64) -> Duration {
    let doubled = SINK_PAUSE_MIN.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    doubled.min(SINK_PAUSE_MAX) * (850 + (random % 301) as u32) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::JumpingClock;

    #[test]
    fn pauses_double_up_to_two_minutes() {
        let middle = |attempts| pause(attempts, 150).as_secs();
        assert_eq!(
            [1, 2, 3, 7, 8, 9, u32::MAX].map(middle),
            [1, 2, 4, 64, 120, 120, 120]
        );
        assert_eq!(
            (pause(1, 0), pause(1, 300)),
            (Duration::from_millis(850), Duration::from_millis(1150))
        );
    }

    #[tokio::test]
    async fn the_retry_duration_is_what_the_pauses_add_up_to() {
        let env = JumpingClock::env();
        assert!(!Retries::new(&env, 0).again().await);
        let begun = env.clock.elapsed();
        let mut retries = Retries::new(&env, 300);
        while retries.again().await {}
        assert_eq!(env.clock.elapsed() - begun, Duration::from_secs(300));
        assert!(
            (9..=12).contains(&retries.attempts),
            "{} attempts",
            retries.attempts
        );
        assert!(retries.left.is_zero());
    }
}
