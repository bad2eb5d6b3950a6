//! Which periods and ranges of time may be asked for.

use headwater_shapes::Timestamp;
use headwater_types::Millis;

/// Whether a period is one: 1, 5, 10, 20 or 30 seconds, or whole minutes.
pub(crate) fn is_period(seconds: i32) -> bool {
    matches!(seconds, 1 | 5 | 10 | 20 | 30) || seconds > 0 && seconds % 60 == 0
}

/// A time as requests have it; what is before the epoch is the epoch.
pub(crate) fn millis(time: Timestamp) -> Millis {
    Millis(u64::try_from(time.0).unwrap_or(0))
}

/// A time as answers have it.
pub(crate) fn timestamp(time: Millis) -> Timestamp {
    Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX))
}

/// How many periods there are in a range.
pub(crate) fn periods(from: Millis, to: Millis, period: u32) -> u64 {
    to.0.saturating_sub(from.0)
        .div_ceil(u64::from(period.max(1)) * 1000)
}

/// AWS's words for a range with more points than an answer has.
pub(crate) fn too_many_points(points: u64, most: u64) -> String {
    format!(
        "You have requested up to {points} datapoints, which exceeds the limit of {most}. You may reduce the datapoints \
         requested by increasing Period, or decreasing the time range."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_parts_of_a_minute_or_minutes() {
        for period in [1, 5, 10, 20, 30, 60, 120, 3600] {
            assert!(is_period(period), "{period}");
        }
        for period in [-60, 0, 2, 15, 59, 61, 90] {
            assert!(!is_period(period), "{period}");
        }
    }

    #[test]
    fn a_begun_period_counts() {
        let count = |to, period| periods(Millis(0), Millis(to), period);
        assert_eq!(
            (count(60_000, 60), count(60_001, 60), count(0, 60)),
            (1, 2, 0)
        );
        assert_eq!(count(86_400_000, 1), 86_400);
    }
}
