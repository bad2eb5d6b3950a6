//! Times as S3 has them: whole seconds.

use headwater_shapes::Timestamp;
use headwater_types::Millis;
use jiff::tz::TimeZone;

/// A time of an object for a client, rounded down: S3 keeps no fractions of a second.
pub fn timestamp(at: Millis) -> Timestamp {
    Timestamp(
        i64::try_from(at.seconds())
            .unwrap_or(i64::MAX / 1000)
            .saturating_mul(1000),
    )
}

/// A client's time, in a condition.
pub fn millis(at: Timestamp) -> Millis {
    Millis(u64::try_from(at.0).unwrap_or(0))
}

/// A time as a header has it: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn http_date(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    at.to_zoned(TimeZone::UTC)
        .strftime("%a, %d %b %Y %H:%M:%S GMT")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_and_dates_are_those_of_http() {
        assert_eq!(timestamp(Millis(1_999)), Timestamp(1_000));
        assert_eq!(
            http_date(Timestamp(784_111_777_000)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }
}
