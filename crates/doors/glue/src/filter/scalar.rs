//! Values of partitions and literals by the types of their keys, and their order.

use std::cmp::Ordering;

/// A kind of type that filters know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Integer,
    Decimal,
    Date,
    Timestamp,
}

/// A value of a kind. Two of the same kind have an order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scalar {
    Text(String),
    Number(Number),
    /// A date, or a time with all nine digits of its fraction: their order is that of the texts.
    Time(String),
}

/// A number of any length: `0.digits * 10^point`, with neither zeros before nor after the digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Number {
    negative: bool,
    digits: String,
    point: i64,
}

impl Kind {
    /// The kind of a type as Hive spells it; none for those that partitions cannot be filtered by.
    pub fn of(data_type: &str) -> Option<Self> {
        let end = data_type.find('(').unwrap_or(data_type.len());
        match data_type[..end].trim().to_lowercase().as_str() {
            "string" | "char" | "varchar" => Some(Self::Text),
            "tinyint" | "smallint" | "int" | "bigint" | "long" => Some(Self::Integer),
            "decimal" => Some(Self::Decimal),
            "date" => Some(Self::Date),
            "timestamp" => Some(Self::Timestamp),
            _ => None,
        }
    }

    /// The kind's name in the error of an operation that it has not.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "String",
            Self::Integer => "Integral",
            Self::Decimal => "Decimal",
            Self::Date => "Date",
            Self::Timestamp => "Timestamp",
        }
    }

    /// The value that a text is, or AWS's words for one that it is not.
    pub fn read(self, text: &str) -> Result<Scalar, String> {
        match self {
            Self::Text => Ok(Scalar::Text(text.to_owned())),
            Self::Integer => Number::integer(text)
                .map(Scalar::Number)
                .ok_or_else(|| format!("\"{text}\" is not an integer.")),
            Self::Decimal => Number::decimal(text)
                .map(Scalar::Number)
                .ok_or_else(|| format!("{text} is not a decimal.")),
            Self::Date if is_date(text) => Ok(Scalar::Time(text.to_owned())),
            Self::Date => Err(format!("{text} is not a date.")),
            Self::Timestamp => timestamp(text).map(Scalar::Time).ok_or_else(|| {
                format!(
                    "Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff] {text} is not a timestamp."
                )
            }),
        }
    }
}

impl Number {
    fn integer(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        are_digits(digits).then(|| Self::new(text.starts_with('-'), digits, "", 0))
    }

    fn decimal(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let any = !whole.is_empty() || !fraction.is_empty();
        let digits = |part: &str| part.is_empty() || are_digits(part);
        (any && digits(whole) && digits(fraction))
            .then(|| Self::new(text.starts_with('-'), whole, fraction, exponent))
    }

    fn new(negative: bool, whole: &str, fraction: &str, exponent: i32) -> Self {
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let leading = all.len() - digits.len();
        let digits = digits.trim_end_matches('0').to_owned();
        let is_zero = digits.is_empty();
        let shift = whole.len() as i64 - leading as i64 + i64::from(exponent);
        Self {
            negative: negative && !is_zero,
            digits,
            point: if is_zero { 0 } else { shift },
        }
    }

    /// The order of the numbers without their signs.
    fn size(&self, other: &Self) -> Ordering {
        match (self.digits.is_empty(), other.digits.is_empty()) {
            (false, false) => (self.point, &self.digits).cmp(&(other.point, &other.digits)),
            (zero, other_zero) => other_zero.cmp(&zero),
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size(other),
            (true, true) => other.size(self),
            (negative, other) => other.cmp(&negative),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The numbers of a text whose digits stand as those of `form`, with everything else the same.
fn fields<const N: usize>(text: &str, form: &str, places: [(usize, usize); N]) -> Option<[u32; N]> {
    let alike = |(byte, wanted): (u8, u8)| match wanted {
        b'0' => byte.is_ascii_digit(),
        other => byte == other,
    };
    if text.len() != form.len() || !text.bytes().zip(form.bytes()).all(alike) {
        return None;
    }
    let mut numbers = [0; N];
    for (number, (from, to)) in numbers.iter_mut().zip(places) {
        *number = text[from..to].parse().ok()?;
    }
    Some(numbers)
}

fn is_date(text: &str) -> bool {
    let found = fields(text, "0000-00-00", [(0, 4), (5, 7), (8, 10)]);
    found.is_some_and(|[year, month, day]| (1..=days_of(year, month)).contains(&day))
}

fn days_of(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

/// A time, with nine digits behind its seconds.
fn timestamp(text: &str) -> Option<String> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let (date, time) = seconds.split_once(' ')?;
    let [hour, minute, second] = fields(time, "00:00:00", [(0, 2), (3, 5), (6, 8)])?;
    let is_time = is_date(date) && hour < 24 && minute < 60 && second < 60;
    (is_time && fraction.len() <= 9 && are_digits(fraction))
        .then(|| format!("{seconds}.{fraction:0<9}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Scalar {
        Kind::Decimal.read(text).unwrap()
    }

    #[test]
    fn numbers_are_the_same_however_they_are_written() {
        for (a, b) in [
            ("3e14", "300000000000000"),
            ("2.60", "2.6"),
            ("-0", "0.00"),
            (".5", "5e-1"),
            ("007", "7."),
        ] {
            assert_eq!(decimal(a), decimal(b), "{a} {b}");
        }
        for wrong in ["", "-", ".", "e3", "1e", "1.2.3", "1,2", "test", "--1"] {
            assert!(Kind::Decimal.read(wrong).is_err(), "{wrong}");
            assert!(Kind::Integer.read(wrong).is_err(), "{wrong}");
        }
        assert!(Kind::Integer.read("2.5").is_err());
    }

    #[test]
    fn days_and_times_are_those_of_the_calendar() {
        for (kind, right) in [
            (Kind::Date, "2024-02-29"),
            (Kind::Timestamp, "2022-02-01 23:59:59.999999999"),
        ] {
            assert!(kind.read(right).is_ok(), "{right}");
        }
        for (kind, wrong) in [
            (Kind::Date, "2023-02-29"),
            (Kind::Date, "2022-13-01"),
            (Kind::Date, "2022-2-1"),
            (Kind::Date, "2022-02-00"),
            (Kind::Timestamp, "2022-02-01"),
            (Kind::Timestamp, "2022-02-15 00:00:00."),
            (Kind::Timestamp, "2022-02-15 24:00:00"),
            (Kind::Timestamp, "2022-02-15 00:00:00.0123456789"),
        ] {
            assert!(kind.read(wrong).is_err(), "{wrong}");
        }
        let time = |text| Kind::Timestamp.read(text).unwrap();
        assert_eq!(time("2022-02-01 00:00:00"), time("2022-02-01 00:00:00.000"));
        assert!(time("2022-02-01 00:00:00.1") > time("2022-02-01 00:00:00.09"));
    }

    proptest! {
        #[test]
        fn numbers_have_their_order(a in -100_000_i64..100_000, b in -100_000_i64..100_000, scale in 0_usize..4) {
            let text = |number: i64| format!("{number}e-{scale}");
            prop_assert_eq!(decimal(&text(a)).cmp(&decimal(&text(b))), a.cmp(&b));
            let whole = |number: i64| Kind::Integer.read(&number.to_string()).unwrap();
            prop_assert_eq!(whole(a).cmp(&whole(b)), a.cmp(&b));
        }

        #[test]
        fn any_text_is_a_value_or_an_error(text in "\\PC{0,30}|[-+0-9.e: ]{0,30}") {
            for kind in [Kind::Text, Kind::Integer, Kind::Decimal, Kind::Date, Kind::Timestamp] {
                drop(kind.read(&text));
            }
        }
    }
}
