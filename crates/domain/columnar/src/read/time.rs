//! Dates and times in the forms that the deserializers know by themselves.
//!
//! Forms as recorded on AWS: `2017-02-07T15:13:01.39256Z` with all digits and the `Z`; `2017-2-7 5:13:1.14` with as few
//! as one; numbers, which are seconds since 1970 below 10^12 and milliseconds from there. Times are UTC.

use jiff::civil;

use super::decimal;
use crate::column::Timestamp;

/// Seconds of a day.
pub(crate) const DAY: i64 = 24 * 60 * 60;

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// Where numbers turn from seconds to milliseconds.
const MILLIS_FROM: i128 = 1_000_000_000_000;

/// A time in one of OpenX's forms.
pub(super) fn of_openx(text: &str) -> Option<Timestamp> {
    value_of(text).or_else(|| iso(text)).or_else(|| epoch(text))
}

/// `yyyy-[m]m-[d]d [h]h:[m]m:[s]s[.f…]`, as `java.sql.Timestamp.valueOf` reads it.
pub(super) fn value_of(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor(text.trim());
    let date = cursor.date(1)?;
    cursor.sign(' ')?;
    cursor.time(date, 1).filter(|_| cursor.0.is_empty())
}

/// `yyyy-MM-ddTHH:mm:ss[.f…]Z`
fn iso(text: &str) -> Option<Timestamp> {
    let mut cursor = Cursor(text);
    let date = cursor.date(2)?;
    cursor.sign('T')?;
    cursor.time(date, 2).filter(|_| cursor.0 == "Z")
}

/// Seconds or milliseconds since 1970, with what is after the point.
fn epoch(text: &str) -> Option<Timestamp> {
    let scaled = decimal::parse(text, 30, 9).ok()?;
    let millis = scaled.abs() >= MILLIS_FROM * SECOND;
    of_nanos(if millis {
        scaled.div_euclid(1000)
    } else {
        scaled
    })
}

/// Milliseconds since 1970, with what is after the point.
pub(super) fn epoch_millis(text: &str) -> Option<Timestamp> {
    decimal::parse(text, 30, 6).ok().and_then(of_nanos)
}

/// The instant of so many nanoseconds since 1970, if it is in the years 1 to 9999, which all readers of files know.
fn of_nanos(nanos: i128) -> Option<Timestamp> {
    let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
    let within = (-62_135_596_800..=253_402_300_799).contains(&seconds);
    within.then_some(Timestamp {
        seconds,
        nanos: nanos.rem_euclid(SECOND) as u32,
    })
}

/// The instant of a date and time, moved by an offset in seconds.
pub(super) fn instant(at: civil::DateTime, offset: i64) -> Option<Timestamp> {
    let since = at.duration_since(civil::date(1970, 1, 1).to_datetime(civil::Time::midnight()));
    of_nanos(since.as_nanos() - i128::from(offset) * SECOND)
}

/// `yyyy-[m]m-[d]d`, in days since 1970.
pub(super) fn date(text: &str) -> Option<i32> {
    let mut cursor = Cursor(text.trim());
    let date = cursor.date(1).filter(|_| cursor.0.is_empty())?;
    let midnight = instant(date.to_datetime(civil::Time::midnight()), 0)?;
    i32::try_from(midnight.seconds.div_euclid(DAY)).ok()
}

/// The rest of a text.
pub(super) struct Cursor<'a>(pub &'a str);

impl Cursor<'_> {
    /// A date with at least so many digits for its month and day.
    fn date(&mut self, least: usize) -> Option<civil::Date> {
        let year = self.number(4, 4)?;
        self.sign('-')?;
        let month = self.number(least, 2)?;
        self.sign('-')?;
        let day = self.number(least, 2)?;
        civil::Date::new(year as i16, month as i8, day as i8).ok()
    }

    /// A time of this date, with at least so many digits in each of its parts.
    fn time(&mut self, date: civil::Date, least: usize) -> Option<Timestamp> {
        let hour = self.number(least, 2)?;
        self.sign(':')?;
        let minute = self.number(least, 2)?;
        self.sign(':')?;
        let second = self.number(least, 2)?;
        let nanos = if self.sign('.').is_some() {
            self.fraction(9)?
        } else {
            0
        };
        let time = civil::Time::new(hour as i8, minute as i8, second as i8, nanos as i32).ok()?;
        instant(date.to_datetime(time), 0)
    }

    /// A number of `least` to `most` digits, at most nine.
    pub fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let (number, rest) = self.0.split_at(digits);
        let number = Some(number).filter(|_| digits >= least)?.parse().ok()?;
        self.0 = rest;
        Some(number)
    }

    /// The digits after a point, one to `most` of them, in nanoseconds.
    pub fn fraction(&mut self, most: usize) -> Option<u32> {
        let before = self.0.len();
        let number = self.number(1, most.min(9))?;
        let digits = before - self.0.len();
        Some(number * 10_u32.pow(9 - digits as u32))
    }

    pub fn sign(&mut self, sign: char) -> Option<()> {
        self.0 = self.0.strip_prefix(sign)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(at: Option<Timestamp>) -> String {
        at.map_or_else(
            || "none".to_owned(),
            |at| {
                jiff::Timestamp::new(at.seconds, at.nanos as i32)
                    .unwrap()
                    .to_string()
            },
        )
    }

    #[test]
    fn openx_reads_the_forms_that_were_recorded_on_aws() {
        for (text, read) in [
            ("2026-09-07 12:00:02", "2026-09-07T12:00:02Z"),
            ("2026-9-7 1:2:3.5", "2026-09-07T01:02:03.5Z"),
            ("2018-02-07T20:38:48Z", "2018-02-07T20:38:48Z"),
            ("2017-02-07T15:13:01.39256Z", "2017-02-07T15:13:01.39256Z"),
            ("1518033528", "2018-02-07T19:58:48Z"),
            ("1518033528123", "2018-02-07T19:58:48.123Z"),
            ("1000000000000", "2001-09-09T01:46:40Z"),
            ("1518033528.123", "2018-02-07T19:58:48.123Z"),
            ("-1000", "1969-12-31T23:43:20Z"),
            ("0", "1970-01-01T00:00:00Z"),
            ("2026-9-7T12:00:02Z", "none"),
            ("2026-05-21T14:00:00+00:00", "none"),
            ("2026-09-07", "none"),
            ("2026-02-30 00:00:00", "none"),
            ("18446744073709551616", "none"),
            ("1e1000000000", "none"),
            ("", "none"),
        ] {
            assert_eq!(shown(of_openx(text)), read, "{text}");
        }
    }

    #[test]
    fn dates_need_no_leading_zeros() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2026-9-7", Some(20703)),
            ("1969-12-31", Some(-1)),
            ("2026-13-01", None),
            ("2026-09-07 12:00:00", None),
        ] {
            assert_eq!(date(text), days, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_time_or_none(text in "[-0-9TZ: .eE]{0,30}", other in "\\PC{0,30}") {
            for text in [text, other] {
                let _ = of_openx(&text);
                let _ = date(&text);
            }
        }

        #[test]
        fn epochs_count_from_1970(seconds in -62_135_596_800_i64..1_000_000_000_000 / 4) {
            prop_assert_eq!(of_openx(&seconds.to_string()).unwrap().seconds, seconds);
        }
    }
}
