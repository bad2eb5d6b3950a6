//! Joda-Time's patterns for dates and times, compiled and read with.
//!
//! Letters as its `DateTimeFormat` documents them: numbers take up to as many digits as Joda lets them, names are
//! English, times without a zone are UTC. Eras, centuries, weeks and names of zones are not supported.

use jiff::civil;

use super::time::{self, Cursor};
use crate::{column::Timestamp, settings::Unsupported};

/// A pattern, or the word `millis`.
#[derive(Debug)]
pub(super) enum Pattern {
    Millis,
    Parts(Vec<Part>),
}

/// A part of a pattern.
#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Literal(String),
    Number {
        field: Field,
        most: usize,
    },
    /// Digits after the point of a second.
    Fraction(usize),
    MonthName,
    Weekday,
    HalfDay,
    /// `+hh:mm`, `+hhmm` or `Z`.
    Offset,
}

/// The meaning of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Field {
    Year,
    /// Of two digits, within fifty years of 2000.
    ShortYear,
    Month,
    Day,
    DayOfYear,
    Hour,
    /// From 1 to 24.
    ClockHour,
    /// Of half a day, from 0 to 11 or 1 to 12.
    HalfHour,
    Minute,
    Second,
}

impl Pattern {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, Unsupported> {
        if pattern == "millis" {
            return Ok(Self::Millis);
        }
        let mut parts = Vec::new();
        let mut rest = pattern;
        while let Some(letter) = rest.chars().next() {
            let (part, after) = next_part(letter, rest)?;
            parts.push(part);
            rest = after;
        }
        Ok(Self::Parts(parts))
    }

    /// The time that all of a text is.
    pub fn parse(&self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Millis => time::epoch_millis(text),
            Self::Parts(parts) => {
                let mut found = Found::default();
                let mut cursor = Cursor(text);
                for part in parts {
                    found.read(part, &mut cursor)?;
                }
                found.instant().filter(|_| cursor.0.is_empty())
            }
        }
    }
}

/// The part that a pattern begins with, and what is left.
fn next_part(letter: char, rest: &str) -> Result<(Part, &str), Unsupported> {
    if letter == '\'' {
        return Ok(quoted(rest));
    }
    if !letter.is_ascii_alphabetic() {
        return Ok((
            Part::Literal(letter.to_string()),
            &rest[letter.len_utf8()..],
        ));
    }
    let count = rest.chars().take_while(|c| *c == letter).count();
    Ok((part_of(letter, count)?, &rest[count..]))
}

/// `'text'`, in which two quotes are one; two quotes alone are one too.
fn quoted(rest: &str) -> (Part, &str) {
    if let Some(after) = rest.strip_prefix("''") {
        return (Part::Literal("'".to_owned()), after);
    }
    let mut text = String::new();
    let mut after = &rest[1..];
    while let Some(c) = after.chars().next() {
        if let Some(beyond) = after.strip_prefix("''") {
            text.push('\'');
            after = beyond;
        } else if c == '\'' {
            after = &after[1..];
            break;
        } else {
            text.push(c);
            after = &after[c.len_utf8()..];
        }
    }
    (Part::Literal(text), after)
}

fn part_of(letter: char, count: usize) -> Result<Part, Unsupported> {
    let number = |field, most| Ok(Part::Number { field, most });
    match (letter, count) {
        ('y' | 'Y', 2) => number(Field::ShortYear, 2),
        // The years of files have four digits, whatever Joda lets through.
        ('y' | 'Y', _) => number(Field::Year, 4),
        ('M', 1 | 2) => number(Field::Month, 2),
        ('M', _) => Ok(Part::MonthName),
        ('d', _) => number(Field::Day, 2),
        ('D', _) => number(Field::DayOfYear, 3),
        ('H', _) => number(Field::Hour, 2),
        ('k', _) => number(Field::ClockHour, 2),
        ('K' | 'h', _) => number(Field::HalfHour, 2),
        ('m', _) => number(Field::Minute, 2),
        ('s', _) => number(Field::Second, 2),
        ('S', count) => Ok(Part::Fraction(count)),
        ('a', _) => Ok(Part::HalfDay),
        ('E', _) => Ok(Part::Weekday),
        ('Z', 1 | 2) => Ok(Part::Offset),
        ('Z' | 'z', _) => Err(Unsupported("names of time zones in TimestampFormats")),
        ('G' | 'C' | 'x' | 'w' | 'e', _) => {
            Err(Unsupported("eras, centuries and weeks in TimestampFormats"))
        }
        _ => Err(Unsupported(
            "a letter in TimestampFormats that Joda-Time does not have",
        )),
    }
}

/// The fields of a time that were read so far.
#[derive(Default)]
struct Found {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    half_hour: Option<u32>,
    afternoon: bool,
    minute: u32,
    second: u32,
    nanos: u32,
    offset: i64,
}

impl Found {
    fn read(&mut self, part: &Part, cursor: &mut Cursor<'_>) -> Option<()> {
        match part {
            Part::Literal(text) => cursor.0 = cursor.0.strip_prefix(text.as_str())?,
            Part::Number { field, most } => {
                let number = cursor.number(1, *most)?;
                self.set(*field, number);
            }
            Part::Fraction(most) => self.nanos = cursor.fraction(*most)?,
            Part::MonthName => self.month = Some(name(cursor, &MONTHS)?),
            Part::Weekday => drop(name(cursor, &WEEKDAYS)?),
            Part::HalfDay => self.afternoon = name(cursor, &["am", "pm"])? == 2,
            Part::Offset => self.offset = offset(cursor)?,
        }
        Some(())
    }

    fn set(&mut self, field: Field, number: u32) {
        match field {
            Field::Year => self.year = Some(number),
            Field::ShortYear => {
                self.year = Some(if number < 50 {
                    2000 + number
                } else {
                    1900 + number
                })
            }
            Field::Month => self.month = Some(number),
            Field::Day => self.day = Some(number),
            Field::DayOfYear => self.day_of_year = Some(number),
            Field::Hour => self.hour = number,
            Field::ClockHour => self.hour = number % 24,
            Field::HalfHour => self.half_hour = Some(number),
            Field::Minute => self.minute = number,
            Field::Second => self.second = number,
        }
    }

    /// The instant; what was not given is the start of 1970.
    fn instant(&self) -> Option<Timestamp> {
        let year = self.year.unwrap_or(1970) as i16;
        let date = match self.day_of_year {
            Some(day) => civil::Date::new(year, 1, 1)
                .ok()?
                .with()
                .day_of_year(day as i16)
                .build()
                .ok()?,
            None => civil::Date::new(
                year,
                self.month.unwrap_or(1) as i8,
                self.day.unwrap_or(1) as i8,
            )
            .ok()?,
        };
        let hour = match self.half_hour {
            Some(13..) => return None,
            Some(hour) => hour % 12 + if self.afternoon { 12 } else { 0 },
            None => self.hour,
        };
        let time = civil::Time::new(
            hour as i8,
            self.minute as i8,
            self.second as i8,
            self.nanos as i32,
        )
        .ok()?;
        time::instant(date.to_datetime(time), self.offset)
    }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// Letters of a name's short form.
const SHORT: usize = 3;

/// Which of these names comes next, whole or by its first letters, counted from one.
fn name(cursor: &mut Cursor<'_>, names: &[&str]) -> Option<u32> {
    let matches = |text: &str| {
        cursor
            .0
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text))
    };
    for (place, name) in names.iter().enumerate() {
        for form in [name, &name[..name.len().min(SHORT)]] {
            if matches(form) {
                cursor.0 = &cursor.0[form.len()..];
                return Some(place as u32 + 1);
            }
        }
    }
    None
}

/// Seconds east of UTC.
fn offset(cursor: &mut Cursor<'_>) -> Option<i64> {
    if cursor.sign('Z').is_some() {
        return Some(0);
    }
    let sign = if cursor.sign('-').is_some() {
        -1
    } else {
        cursor.sign('+').map(|()| 1)?
    };
    let hours = cursor.number(2, 2)?;
    // The colon may be there or not.
    let _colon = cursor.sign(':');
    let minutes = cursor.number(2, 2)?;
    (hours < 24 && minutes < 60)
        .then_some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(pattern: &str, text: &str) -> String {
        Pattern::new(pattern).unwrap().parse(text).map_or_else(
            || "none".to_owned(),
            |at| {
                jiff::Timestamp::new(at.seconds, at.nanos as i32)
                    .unwrap()
                    .to_string()
            },
        )
    }

    #[test]
    fn times_are_read_by_their_pattern() {
        for (pattern, text, time) in [
            (
                "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
                "2026-09-07T12:00:02.250+02:00",
                "2026-09-07T10:00:02.25Z",
            ),
            (
                "yyyy-MM-dd'T'HH:mm:ssZZ",
                "2026-09-07T12:00:02Z",
                "2026-09-07T12:00:02Z",
            ),
            ("yyyyMMddHHmmss", "20260907120002", "2026-09-07T12:00:02Z"),
            (
                "dd/MMM/yyyy:HH:mm:ss Z",
                "07/Sep/2026:12:00:02 -0130",
                "2026-09-07T13:30:02Z",
            ),
            (
                "EEE, d MMMM yyyy h:mm a",
                "Monday, 7 September 2026 12:05 AM",
                "2026-09-07T00:05:00Z",
            ),
            ("MM/dd/yy hh:mm a", "9/7/26 1:05 pm", "2026-09-07T13:05:00Z"),
            ("yyyy-DDD", "2024-366", "2024-12-31T00:00:00Z"),
            ("HH 'o''clock'", "7 o'clock", "1970-01-01T07:00:00Z"),
            ("yyyy-MM-dd kk", "2026-09-07 24", "2026-09-07T00:00:00Z"),
            ("millis", "1518033528123", "2018-02-07T19:58:48.123Z"),
            ("yyyy-MM-dd", "2026-09-07 12:00:00", "none"),
            ("yyyy-MM-dd", "2026-02-30", "none"),
            ("hh a", "13 pm", "none"),
        ] {
            assert_eq!(read(pattern, text), time, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_not_supported_is_refused_by_name() {
        for (pattern, name) in [
            ("yyyy zzz", "names of time zones in TimestampFormats"),
            (
                "xxxx-'W'ww",
                "eras, centuries and weeks in TimestampFormats",
            ),
            (
                "yyyy-bb",
                "a letter in TimestampFormats that Joda-Time does not have",
            ),
        ] {
            assert_eq!(Pattern::new(pattern).unwrap_err(), Unsupported(name));
        }
    }

    proptest! {
        #[test]
        fn any_pattern_reads_any_text_or_none(
            pattern in "[yMdDHhkKmsSaEZ' :/-]{0,20}",
            other in "\\PC{0,20}",
            text in "[-0-9TZ: /+a-z]{0,30}",
        ) {
            for pattern in [pattern, other] {
                if let Ok(pattern) = Pattern::new(&pattern) {
                    let _ = pattern.parse(&text);
                }
            }
        }
    }
}
