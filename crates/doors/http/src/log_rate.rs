//! Lines of the log that are written rate though their cause is frequent, so that the log stays readable when a machine
//! is at its end.

use std::time::Duration;

use headwater_env::Clock;
use parking_lot::Mutex;

use crate::limits::LOG_LINE_EVERY;

/// A line of the log that is written once in [`LOG_LINE_EVERY`].
#[derive(Default)]
pub(crate) struct LogRate(Mutex<State>);

#[derive(Default)]
struct State {
    /// When the line was written last.
    written: Option<Duration>,
    /// How often its cause came since then.
    unwritten: u64,
}

impl LogRate {
    /// Counts the line's cause. Where the line is to be written now: how often the cause came since the last time, this
    /// one included.
    pub(crate) fn happened(&self, clock: &dyn Clock) -> Option<u64> {
        let now = clock.elapsed();
        let mut state = self.0.lock();
        state.unwritten += 1;
        if state
            .written
            .is_some_and(|written| now < written + LOG_LINE_EVERY)
        {
            return None;
        }
        state.written = Some(now);
        Some(std::mem::take(&mut state.unwritten))
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::ManualClock;
    use headwater_types::Millis;

    use super::*;

    #[test]
    fn a_line_is_written_at_once_and_then_after_a_while_with_its_count() {
        let (clock, rate) = (ManualClock::at(Millis(0)), LogRate::default());
        assert_eq!(rate.happened(&clock), Some(1));
        assert_eq!((rate.happened(&clock), rate.happened(&clock)), (None, None));
        clock.advance(LOG_LINE_EVERY);
        assert_eq!(rate.happened(&clock), Some(3));
        assert_eq!(rate.happened(&clock), None);
    }
}
