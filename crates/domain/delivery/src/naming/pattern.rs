//! Patterns of Java's `DateTimeFormatter`, as object prefixes use them, in English.
//!
//! Weeks are those of the United States, as in the suffix that Firehose gives to weekly indexes: they start on Sundays,
//! and the first is the one with January 1. Letters that only pad, or whose result depends on Java's version or names
//! of zones, are refused when the pattern is parsed, so that formatting cannot fail. Times have whole seconds, as on
//! AWS.

use jiff::{
    Span, Zoned,
    civil::{Date, Weekday},
};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A parsed pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(String),
    /// A letter and how often it stands.
    Field(char, usize),
}

/// An error in a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A letter that means nothing, or one too often repeated.
    #[error("{0:?} is not a pattern letter that can stand there so often")]
    Letter(char),
    /// A letter that Java knows and we do not.
    #[error("the pattern letter {0:?} is not supported")]
    Unsupported(char),
    /// A quote without its end.
    #[error("a quote is not closed")]
    Quote,
    /// A bracket without its beginning.
    #[error("a bracket is not opened")]
    Bracket,
}

impl Pattern {
    /// Reads a pattern.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let mut tokens = Vec::new();
        let mut literal = String::new();
        let mut optional = 0usize;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\'' => quoted(&mut rest, &mut literal)?,
                // An optional section is there whenever its fields are, and a point in time has all of them.
                '[' => optional += 1,
                ']' => optional = optional.checked_sub(1).ok_or(PatternError::Bracket)?,
                '{' | '}' | '#' => return Err(PatternError::Letter(c)),
                c if c.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while rest.next_if_eq(&c).is_some() {
                        count += 1;
                    }
                    check(c, count)?;
                    if !literal.is_empty() {
                        tokens.push(Token::Literal(std::mem::take(&mut literal)));
                    }
                    tokens.push(Token::Field(c, count));
                }
                c => literal.push(c),
            }
        }
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal));
        }
        Ok(Self(tokens))
    }

    /// Writes `time` by the pattern.
    pub fn format(&self, time: &Zoned) -> String {
        let mut out = String::new();
        for token in &self.0 {
            match token {
                Token::Literal(text) => out.push_str(text),
                Token::Field(letter, count) => out.push_str(&field(*letter, *count, time)),
            }
        }
        out
    }
}

/// Reads up to the closing quote; two quotes are one, inside and outside.
fn quoted(
    rest: &mut std::iter::Peekable<std::str::Chars>,
    literal: &mut String,
) -> Result<(), PatternError> {
    if rest.next_if_eq(&'\'').is_some() {
        literal.push('\'');
        return Ok(());
    }
    loop {
        match rest.next().ok_or(PatternError::Quote)? {
            '\'' if rest.next_if_eq(&'\'').is_some() => literal.push('\''),
            '\'' => return Ok(()),
            c => literal.push(c),
        }
    }
}

/// Whether a letter may stand `count` times (DateTimeFormatterBuilder.appendPattern).
fn check(letter: char, count: usize) -> Result<(), PatternError> {
    let most = match letter {
        'a' | 'W' => 1,
        // Java has no `cc`.
        'c' if count == 2 => 1,
        'w' | 'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' => 2,
        'D' | 'z' => 3,
        'M' | 'L' | 'Q' | 'q' | 'E' | 'e' | 'c' | 'G' | 'x' | 'X' | 'Z' => 5,
        'S' => 9,
        'y' | 'u' | 'Y' | 'n' | 'N' | 'A' => 19,
        'V' if count == 2 => 2,
        'O' if count == 1 || count == 4 => 4,
        'F' | 'p' | 'B' | 'g' | 'v' => {
            return Err(PatternError::Unsupported(letter));
        }
        _ => return Err(PatternError::Letter(letter)),
    };
    match count <= most {
        true => Ok(()),
        false if letter == 'z' && count == 4 => Err(PatternError::Unsupported(letter)),
        false => Err(PatternError::Letter(letter)),
    }
}

fn field(letter: char, count: usize, time: &Zoned) -> String {
    let (hour, midnight) = (i64::from(time.hour()), i64::from(time.hour() % 12 == 0));
    let seconds = hour * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
    let number = |value: i64| format!("{value:0count$}");
    match letter {
        'y' | 'u' => year(time.year(), count),
        'Y' => year(week(time.date()).0, count),
        'w' => number(week(time.date()).1.into()),
        'W' => number(week_of_month(time.date()).into()),
        'M' | 'L' if count > 2 => name(MONTHS[time.month() as usize - 1], count),
        'M' | 'L' => number(time.month().into()),
        'd' => number(time.day().into()),
        'D' => number(time.day_of_year().into()),
        'H' => number(hour),
        'k' => number(if hour == 0 { 24 } else { hour }),
        'K' => number(hour % 12),
        'h' => number(hour % 12 + 12 * midnight),
        'm' => number(time.minute().into()),
        's' => number(time.second().into()),
        'S' => "0".repeat(count),
        'n' => number(0),
        'A' => number(seconds * 1_000),
        'N' => number(seconds * 1_000_000_000),
        'a' => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        'e' | 'c' if count < 3 => number((time.weekday().to_sunday_one_offset()).into()),
        'E' | 'e' | 'c' => name(weekday(time.weekday()), count.max(3)),
        'Q' | 'q' => quarter((time.month() as usize - 1) / 3 + 1, count),
        'G' => match count {
            4 => "Anno Domini".to_owned(),
            5 => "A".to_owned(),
            _ => "AD".to_owned(),
        },
        'V' => time.time_zone().iana_name().unwrap_or("UTC").to_owned(),
        'z' => time.strftime("%Z").to_string(),
        _ => offset(letter, count, time.offset().seconds()),
    }
}

/// A year; by two letters, its last two digits.
fn year(year: i16, count: usize) -> String {
    match count {
        2 => format!("{:02}", year.rem_euclid(100)),
        _ => format!("{year:0count$}"),
    }
}

/// The week of a date and that week's year. A week belongs to the year of its Saturday.
pub(crate) fn week(date: Date) -> (i16, i16) {
    let saturday =
        date.saturating_add(Span::new().days(6 - date.weekday().to_sunday_zero_offset()));
    (saturday.year(), (saturday.day_of_year() - 1) / 7 + 1)
}

/// The week of a date within its month, from 1 on; the first may be short.
fn week_of_month(date: Date) -> i8 {
    (date.day() - 1 + date.first_of_month().weekday().to_sunday_zero_offset()) / 7 + 1
}

/// A name in full (4 letters), by its first letter (5), or short (3).
fn name(full: &str, count: usize) -> String {
    match count {
        4 => full,
        5 => &full[..1],
        _ => &full[..3],
    }
    .to_owned()
}

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

fn quarter(quarter: usize, count: usize) -> String {
    match count {
        2 => format!("{quarter:02}"),
        3 => format!("Q{quarter}"),
        4 => format!("{} quarter", ["1st", "2nd", "3rd", "4th"][quarter - 1]),
        _ => quarter.to_string(),
    }
}

/// The letters `O`, `x`, `X` and `Z`: distance from UTC in whole minutes (zones of our time have no seconds).
fn offset(letter: char, count: usize, seconds: i32) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
    match (letter, count) {
        ('O' | 'Z', 4) | ('O', _) if seconds == 0 => "GMT".to_owned(),
        ('O' | 'Z', 4) => format!("GMT{sign}{hours:02}:{minutes:02}"),
        ('O', _) if minutes == 0 => format!("GMT{sign}{hours}"),
        ('O', _) => format!("GMT{sign}{hours}:{minutes:02}"),
        ('X', _) | ('Z', 5) if seconds == 0 => "Z".to_owned(),
        ('X' | 'x', 1) if minutes == 0 => format!("{sign}{hours:02}"),
        ('X' | 'x', 3 | 5) | ('Z', 5) => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::{Timestamp, tz::TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str, zone: &str) -> Zoned {
        text.parse::<Timestamp>()
            .unwrap()
            .to_zoned(TimeZone::get(zone).unwrap())
    }

    fn format(pattern: &str) -> String {
        Pattern::parse(pattern)
            .unwrap()
            .format(&at("2018-08-27T09:05:07Z", "UTC"))
    }

    #[test]
    fn fields_are_written_as_java_writes_them() {
        for (pattern, text) in [
            ("yyyy/MM/dd/HH/", "2018/08/27/09/"),
            ("yy-M-d", "18-8-27"),
            ("y u yyyyy", "2018 2018 02018"),
            ("MMM MMMM MMMMM", "Aug August A"),
            ("DDD D", "239 239"),
            ("E EEE EEEE EEEEE", "Mon Mon Monday M"),
            ("h hh K k a", "9 09 9 9 AM"),
            ("HH:mm:ss.SSS", "09:05:07.000"),
            ("Q QQ QQQ QQQQ", "3 03 Q3 3rd quarter"),
            (
                "X XX XXX x xx xxx Z ZZZZ ZZZZZ O",
                "Z Z Z +00 +0000 +00:00 +0000 GMT Z GMT",
            ),
            ("VV z G", "UTC UTC AD"),
            ("yyyy'-'MM'-'dd", "2018-08-27"),
            ("'year='yyyy", "year=2018"),
            ("'it''s' ''", "it's '"),
            ("yyyy[/MM]", "2018/08"),
            ("A n", "32707000 0"),
            ("YYYY YY Y", "2018 18 2018"),
            ("w ww W", "35 35 5"),
            (
                "e ee eee eeee eeeee c ccc cccc",
                "2 02 Mon Monday M 2 Mon Monday",
            ),
        ] {
            assert_eq!(format(pattern), text, "{pattern}");
        }
    }

    #[test]
    fn midnight_noon_and_zones() {
        let write = |pattern: &str, time: &str, zone: &str| {
            Pattern::parse(pattern).unwrap().format(&at(time, zone))
        };
        assert_eq!(
            write("h K k H a", "2018-08-27T00:00:00Z", "UTC"),
            "12 0 24 0 AM"
        );
        assert_eq!(
            write("h K k H a", "2018-08-27T12:00:00Z", "UTC"),
            "12 0 12 12 PM"
        );
        assert_eq!(
            write("dd HH XXX O VV", "2018-08-27T20:00:00Z", "Asia/Tokyo"),
            "28 05 +09:00 GMT+9 Asia/Tokyo"
        );
        assert_eq!(
            write("x X OOOO", "2018-08-27T00:00:00Z", "Asia/Kolkata"),
            "+0530 +0530 GMT+05:30"
        );
    }

    #[test]
    fn weeks_start_on_sundays_and_the_first_has_january_1() {
        for (time, text) in [
            ("2016-12-31T00:00:00Z", "2016 53 5 7"),
            ("2017-01-01T00:00:00Z", "2017 01 1 1"),
            ("2018-12-29T00:00:00Z", "2018 52 5 7"),
            ("2018-12-30T00:00:00Z", "2019 01 6 1"),
            ("2019-01-05T00:00:00Z", "2019 01 1 7"),
            ("2019-01-06T00:00:00Z", "2019 02 2 1"),
            ("2026-11-21T00:00:00Z", "2026 47 3 7"),
        ] {
            let pattern = Pattern::parse("YYYY ww W e").unwrap();
            assert_eq!(pattern.format(&at(time, "UTC")), text, "{time}");
        }
    }

    #[test]
    fn what_java_refuses_is_refused() {
        for bad in "ddd HHH aa DDDD C T 'open ] # VVV SSSSSSSSSS OO cc www WW eeeeee".split(' ') {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
        for letter in ['F', 'p', 'B', 'g', 'v'] {
            assert_eq!(
                Pattern::parse(&letter.to_string()),
                Err(PatternError::Unsupported(letter))
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_pattern_or_an_error(text in ".{0,24}", seconds in 0i64..4_000_000_000) {
            if let Ok(pattern) = Pattern::parse(&text) {
                pattern.format(&Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC));
            }
        }

        #[test]
        fn letters_alone_never_panic(text in "[a-zA-Z\\[\\]' /-]{0,16}", seconds in 0i64..4_000_000_000) {
            if let Ok(pattern) = Pattern::parse(&text) {
                pattern.format(&Timestamp::from_second(seconds).unwrap().to_zoned(TimeZone::UTC));
            }
        }
    }
}
