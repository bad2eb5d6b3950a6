//! The events of one put: AWS's rules for them, and which of them are kept.

use std::time::Duration;

use headwater_types::Millis;

use crate::{Error, NewEvent, limits};

/// Which events of a put were not kept, because of their times; the others are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rejected {
    /// The events before this index are older than 14 days.
    pub too_old_end: Option<usize>,
    /// The events before this index are older than the group keeps them.
    pub expired_end: Option<usize>,
    /// The events from this index on lie more than 2 hours ahead.
    pub too_new_start: Option<usize>,
}

/// AWS's rules for the events of one put among each other.
pub(crate) fn check_put(events: &[NewEvent]) -> Result<(), Error> {
    let size: usize = events.iter().map(NewEvent::size).sum();
    if size > limits::PUT_BYTES_MAX || events.len() > limits::PUT_EVENTS_MAX {
        return Err(Error::PutTooLarge {
            size,
            max: limits::PUT_BYTES_MAX,
        });
    }
    if !events.is_sorted_by_key(|event| event.time) {
        return Err(Error::OutOfOrder);
    }
    match (events.first(), events.last()) {
        (Some(first), Some(last)) if last.time.since(first.time) > limits::PUT_SPAN_MAX => {
            Err(Error::SpanTooLong)
        }
        _ => Ok(()),
    }
}

/// The events whose times are within bounds, and where the others were. `events` are in order.
pub(crate) fn timely(
    events: Vec<NewEvent>,
    now: Millis,
    retention_days: Option<u32>,
) -> (Vec<NewEvent>, Rejected) {
    let before = |time: Millis| events.partition_point(|event| event.time < time);
    let old = before(now.minus(limits::EVENT_AGE_MAX));
    let kept = retention_days.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    let expired = kept.map_or(0, |kept| before(now.minus(kept)));
    let new = events.partition_point(|event| event.time <= now.plus(limits::EVENT_AHEAD_MAX));
    let rejected = Rejected {
        too_old_end: (old > 0).then_some(old),
        expired_end: (expired > 0).then_some(expired),
        too_new_start: (new < events.len()).then_some(new),
    };
    let kept = events
        .into_iter()
        .take(new)
        .skip(old.max(expired))
        .collect();
    (kept, rejected)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(times: &[u64]) -> Vec<NewEvent> {
        times
            .iter()
            .map(|t| NewEvent {
                time: Millis(*t),
                message: "m".into(),
            })
            .collect()
    }

    #[test]
    fn events_outside_of_their_time_are_left_out() {
        const HOUR: u64 = 3_600_000;
        let now = 1000 * 24 * HOUR;
        let times = [
            now - 15 * 24 * HOUR,
            now - 2 * 24 * HOUR,
            now - HOUR,
            now + 2 * HOUR,
            now + 2 * HOUR + 1,
        ];
        let (kept, rejected) = timely(at(&times), Millis(now), Some(1));
        assert_eq!(kept, at(&times[2..4]));
        assert_eq!(
            rejected,
            Rejected {
                too_old_end: Some(1),
                expired_end: Some(2),
                too_new_start: Some(4)
            }
        );
        let (kept, rejected) = timely(at(&times[1..4]), Millis(now), None);
        assert_eq!((kept, rejected), (at(&times[1..4]), Rejected::default()));
    }

    #[test]
    fn a_put_is_in_order_and_within_its_bounds() {
        assert_eq!(check_put(&at(&[1, 1, 2])), Ok(()));
        assert_eq!(check_put(&at(&[2, 1])), Err(Error::OutOfOrder));
        assert_eq!(
            check_put(&at(&[0, 24 * 3_600_000 + 1])),
            Err(Error::SpanTooLong)
        );
        let large = vec![NewEvent {
            time: Millis(0),
            message: "x".repeat(limits::PUT_BYTES_MAX),
        }];
        assert!(matches!(check_put(&large), Err(Error::PutTooLarge { .. })));
        assert!(matches!(
            check_put(&at(&[0; 10_001])),
            Err(Error::PutTooLarge { .. })
        ));
    }
}
