//! What happens often and is said seldom, so that the log stays readable when a machine is at its end.

use std::time::Duration;

use headwater_env::Clock;
use parking_lot::Mutex;

use crate::limits::SAID_EVERY;

/// A line of the log that is written once in [`SAID_EVERY`].
#[derive(Default)]
pub(crate) struct Seldom(Mutex<State>);

#[derive(Default)]
struct State {
    said: Option<Duration>,
    unsaid: u64,
}

impl Seldom {
    /// Whether it is time to say it; then, how often it happened since the last time, this one included.
    pub(crate) fn happened(&self, clock: &dyn Clock) -> Option<u64> {
        let now = clock.elapsed();
        let mut state = self.0.lock();
        state.unsaid += 1;
        if state.said.is_some_and(|said| now < said + SAID_EVERY) {
            return None;
        }
        state.said = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::ManualClock;
    use headwater_types::Millis;

    use super::*;

    #[test]
    fn it_is_said_at_once_and_then_after_a_while_with_its_count() {
        let (clock, seldom) = (ManualClock::at(Millis(0)), Seldom::default());
        assert_eq!(seldom.happened(&clock), Some(1));
        assert_eq!(
            (seldom.happened(&clock), seldom.happened(&clock)),
            (None, None)
        );
        clock.advance(SAID_EVERY);
        assert_eq!(seldom.happened(&clock), Some(3));
        assert_eq!(seldom.happened(&clock), None);
    }
}
