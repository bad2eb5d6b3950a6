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

/// A time as a header has it: `Sun, 06 Nov 1994 08:49:37 GMT`; also one far beyond the year 9999, as rules of lifecycles
/// with very many days make them.
pub fn http_date(at: Timestamp) -> String {
    /// The milliseconds of 400 years, after which the calendar is the same again, weekdays too.
    const CYCLE_MS: i64 = 146_097 * 24 * 60 * 60 * 1000;
    let (cycles, rest) = (at.0.div_euclid(CYCLE_MS), at.0.rem_euclid(CYCLE_MS));
    let rest = jiff::Timestamp::from_millisecond(rest).unwrap_or_default();
    let rest = rest.to_zoned(TimeZone::UTC);
    let year = i64::from(rest.year()) + 400 * cycles;
    let (day, time) = (rest.strftime("%a, %d %b"), rest.strftime("%H:%M:%S GMT"));
    format!("{day} {year:04} {time}")
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
        for (ms, date) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1000, "Wed, 31 Dec 1969 23:59:59 GMT"),
            (253_402_300_799_000, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (253_402_300_800_000, "Sat, 01 Jan 10000 00:00:00 GMT"),
            (
                i64::from(i32::MAX) * 86_400_000,
                "Fri, 11 Jul 5881580 00:00:00 GMT",
            ),
        ] {
            assert_eq!(http_date(Timestamp(ms)), date);
        }
    }
}
