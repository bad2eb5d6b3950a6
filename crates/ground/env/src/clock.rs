//! Wall time, elapsed time and sleeping.

use std::{
    sync::Mutex,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use headwater_types::Millis;

/// The one source of time.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Wall time. It may jump back when an operator sets the machine's clock.
    fn now(&self) -> Millis;

    /// Time since some fixed point; it never jumps back.
    fn elapsed(&self) -> Duration;

    /// Returns once `elapsed` has grown by `by`.
    async fn sleep(&self, by: Duration);
}

/// The machine's clock.
pub struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn default() -> Self {
        Self {
            origin: Instant::now(),
        }
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    fn now(&self) -> Millis {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
    }

    fn elapsed(&self) -> Duration {
        self.origin.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that sleeps"
    )]
    async fn sleep(&self, by: Duration) {
        tokio::time::sleep(by).await;
    }
}

/// A clock that stands still until a test moves it.
pub struct ManualClock {
    start: Millis,
    elapsed: Mutex<Duration>,
    moved: tokio::sync::Notify,
}

impl ManualClock {
    /// A clock that stands at `start`.
    pub fn at(start: Millis) -> Self {
        Self {
            start,
            elapsed: Mutex::default(),
            moved: tokio::sync::Notify::new(),
        }
    }

    /// Moves the clock forward and wakes the sleepers whose time has come.
    pub fn advance(&self, by: Duration) {
        *self.elapsed.lock().expect("no holder panics") += by;
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Millis {
        self.start.plus(self.elapsed())
    }

    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().expect("no holder panics")
    }

    async fn sleep(&self, by: Duration) {
        let until = self.elapsed() + by;
        loop {
            let moved = self.moved.notified();
            tokio::pin!(moved);
            // Registered before the check, so that no move falls between the two.
            moved.as_mut().enable();
            if self.elapsed() >= until {
                return;
            }
            moved.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_manual_clock_wakes_sleepers_when_it_is_moved_past_them() {
        let clock = Arc::new(ManualClock::at(Millis(1000)));
        let mut sleeper = std::pin::pin!({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_millis(10)).await }
        });
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_millis(9));
        assert!(futures_util::poll!(sleeper.as_mut()).is_pending());
        clock.advance(Duration::from_millis(1));
        sleeper.await;
        assert_eq!(clock.now(), Millis(1010));
    }
}
