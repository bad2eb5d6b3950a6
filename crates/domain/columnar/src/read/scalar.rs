//! One JSON value as a value of a column that is not nested.
//!
//! OpenX reads numbers out of text and text out of numbers; Hive takes numbers for numbers alone, and both make text of
//! numbers. Messages are those of the Java code that AWS runs.

use std::fmt::{self, Display};

use super::{Rules, decimal, double::of_double, mismatch, time};
use crate::{
    column::{Column, Timestamp, Values},
    types::DataType,
};

/// A JSON value that is given to a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Token<'a> {
    Null,
    Boolean(bool),
    Long(i64),
    Double(f64),
    /// A number as it is written.
    Number(&'a str),
    Text(&'a str),
    /// An object or an array, as it begins.
    Nested(&'a str),
}

/// Hive's message about a nested value where text is expected.
const ROOT: &str =
    "One or more fields have incorrect format. Exception when validating field (root)";

/// Whether values of this type are text.
pub(super) fn is_text(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::String | T::Char(_) | T::VarChar(_) | T::Binary
    )
}

/// Whether values of this type are read from their digits as they are written: 64 bits do not hold them all, and
/// serde_json's own numbers may be off by the last bit.
pub(super) fn is_of_digits(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Float | T::Double | T::Decimal(..) | T::Date | T::Timestamp
    )
}

/// Adds a value to its column, or says why it does not fit.
pub(super) fn push(
    data_type: &DataType,
    token: Token<'_>,
    rules: &Rules,
    column: &mut Column,
) -> Result<(), String> {
    if matches!(token, Token::Null) {
        column.push_null();
        return Ok(());
    }
    use DataType as T;
    match (data_type, &mut column.values) {
        (T::Boolean, Values::Boolean(values)) => values.push(boolean(token, rules)?),
        (T::TinyInt, Values::Int(values)) => values.push(integer(token, rules, &BYTE)? as i32),
        (T::SmallInt, Values::Int(values)) => values.push(integer(token, rules, &SHORT)? as i32),
        (T::Int, Values::Int(values)) => values.push(integer(token, rules, &INT)? as i32),
        (T::BigInt, Values::Long(values)) => values.push(integer(token, rules, &LONG)?),
        (T::Float, Values::Float(values)) => values.push(double(token, rules)? as f32),
        (T::Double, Values::Double(values)) => values.push(double(token, rules)?),
        (T::Decimal(precision, scale), Values::Decimal(values)) => {
            values.push(digits(token, *precision, *scale)?);
        }
        (T::Date, Values::Int(values)) => values.push(date(token, rules)?),
        (T::Timestamp, Values::Timestamp(values)) => values.push(timestamp(token, rules)?),
        (T::Char(length), Values::Bytes(values)) => {
            let text = text_of(token)?;
            values.push(
                first_characters(&text, *length)
                    .trim_end_matches(' ')
                    .as_bytes(),
            );
        }
        (T::VarChar(length), Values::Bytes(values)) => {
            values.push(first_characters(&text_of(token)?, *length).as_bytes());
        }
        (T::String | T::Binary, Values::Bytes(values)) => match token {
            Token::Text(text) => values.push(text.as_bytes()),
            other => values.push(text_of(other)?.as_bytes()),
        },
        (data_type, values) => unreachable!("a column of {data_type} that stores {values:?}"),
    }
    column.present.push(true);
    Ok(())
}

/// Adds the key of a map's entry, which JSON has as text whatever its type.
pub(super) fn push_key(
    data_type: &DataType,
    key: &str,
    rules: &Rules,
    column: &mut Column,
) -> Result<(), String> {
    let number = matches!(
        data_type,
        DataType::TinyInt
            | DataType::SmallInt
            | DataType::Int
            | DataType::BigInt
            | DataType::Float
            | DataType::Double
    );
    if number && !rules.lenient {
        // Java reads a key's number from its text under both deserializers.
        let whole = key.parse().map(Token::Long);
        let token = whole
            .or_else(|_| key.parse().map(Token::Double))
            .map_err(|_| for_input(key))?;
        return push(data_type, token, rules, column);
    }
    push(data_type, Token::Text(key), rules, column)
}

fn for_input(text: impl Display) -> String {
    mismatch(format_args!("For input string: \"{text}\""))
}

fn boolean(token: Token<'_>, rules: &Rules) -> Result<bool, String> {
    match token {
        Token::Boolean(value) => Ok(value),
        Token::Text(text) => Ok(text.eq_ignore_ascii_case("true")),
        Token::Nested(_) => Err(ROOT.to_owned()),
        // `Boolean.valueOf` of a number's text.
        _ if !rules.lenient => Ok(false),
        token => Err(mismatch(format_args!("{} is no boolean", token.in_java()))),
    }
}

/// An integer type, and what Java calls it where a value is out of its range.
struct Width {
    min: i64,
    max: i64,
    name: &'static str,
}

const BYTE: Width = Width {
    min: i8::MIN as i64,
    max: i8::MAX as i64,
    name: "Java byte",
};
const SHORT: Width = Width {
    min: i16::MIN as i64,
    max: i16::MAX as i64,
    name: "Java short",
};
const INT: Width = Width {
    min: i32::MIN as i64,
    max: i32::MAX as i64,
    name: "int",
};
const LONG: Width = Width {
    min: i64::MIN,
    max: i64::MAX,
    name: "long",
};

fn integer(token: Token<'_>, rules: &Rules, width: &Width) -> Result<i64, String> {
    let value = match token {
        Token::Long(value) => Some(value),
        Token::Text(text) if rules.lenient => text.parse().ok(),
        token if rules.lenient => return Err(for_input(token)),
        // Jackson cuts off what is after the point.
        Token::Double(value) if value >= i64::MIN as f64 && value < i64::MAX as f64 => {
            Some(value as i64)
        }
        Token::Double(_) => None,
        token => return Err(not_numeric(token)),
    };
    let fits = value.filter(|value| (width.min..=width.max).contains(value));
    fits.ok_or_else(|| out_of_range(token, rules, width, value.is_some()))
}

fn out_of_range(token: Token<'_>, rules: &Rules, width: &Width, number: bool) -> String {
    match rules.lenient {
        false => mismatch(format_args!(
            "Numeric value ({token}) out of range of {}",
            width.name
        )),
        true if number && width.name.starts_with("Java") => mismatch(format_args!(
            "Value out of range. Value:\"{token}\" Radix:10"
        )),
        true => for_input(token),
    }
}

fn not_numeric(token: Token<'_>) -> String {
    let name = match token {
        Token::Boolean(true) => "VALUE_TRUE",
        Token::Boolean(false) => "VALUE_FALSE",
        Token::Nested(_) => "START_OBJECT",
        _ => "VALUE_STRING",
    };
    mismatch(format_args!(
        "Current token ({name}) not numeric, can not use numeric value accessors"
    ))
}

fn double(token: Token<'_>, rules: &Rules) -> Result<f64, String> {
    match token {
        Token::Long(value) => Ok(value as f64),
        Token::Double(value) => Ok(value),
        Token::Number(text) => text.parse().map_err(|_| for_input(text)),
        Token::Text(text) if rules.lenient => java_double(text).ok_or_else(|| for_input(text)),
        token if rules.lenient => Err(for_input(token)),
        token => Err(not_numeric(token)),
    }
}

/// A number as `Double.parseDouble` reads it, which knows infinity and NaN by other names than Rust.
fn java_double(text: &str) -> Option<f64> {
    let text = text.trim();
    match text.trim_start_matches(['+', '-']) {
        "NaN" => Some(f64::NAN),
        "Infinity" if text.starts_with('-') => Some(f64::NEG_INFINITY),
        "Infinity" => Some(f64::INFINITY),
        size if size.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

fn digits(token: Token<'_>, precision: u8, scale: u8) -> Result<i128, String> {
    if matches!(token, Token::Nested(_) | Token::Boolean(_)) {
        return Err(mismatch(format_args!("{} is no number", token.in_java())));
    }
    let text = text_of(token)?;
    decimal::parse(&text, precision, scale).map_err(|wrong| match wrong {
        decimal::Wrong::NoNumber => for_input(text),
        decimal::Wrong::TooLarge => mismatch(format_args!(
            "{text} is too large for decimal({precision},{scale})"
        )),
    })
}

fn date(token: Token<'_>, rules: &Rules) -> Result<i32, String> {
    let given = of_formats(token, rules).map(|at| at.seconds.div_euclid(time::DAY) as i32);
    let usual = || match token {
        Token::Text(text) => time::date(text),
        _ => None,
    };
    given.or_else(usual).ok_or_else(|| {
        mismatch(format_args!(
            "\"{token}\" is no date of the form yyyy-mm-dd"
        ))
    })
}

fn timestamp(token: Token<'_>, rules: &Rules) -> Result<Timestamp, String> {
    let usual = || match token {
        Token::Nested(_) | Token::Boolean(_) => None,
        token if rules.lenient => time::of_openx(&text_of(token).ok()?),
        token => time::value_of(&text_of(token).ok()?),
    };
    let at = of_formats(token, rules).or_else(usual);
    at.ok_or_else(|| mismatch("Timestamp format must be yyyy-mm-dd hh:mm:ss[.fffffffff]"))
}

/// A time that one of the deserializer's formats reads.
fn of_formats(token: Token<'_>, rules: &Rules) -> Option<Timestamp> {
    let text = text_of(token).ok()?;
    rules.formats.iter().find_map(|format| format.parse(&text))
}

/// A value as text.
fn text_of(token: Token<'_>) -> Result<String, String> {
    match token {
        Token::Nested(_) => Err(ROOT.to_owned()),
        token => Ok(token.to_string()),
    }
}

fn first_characters(text: &str, most: u32) -> &str {
    let end = text
        .char_indices()
        .nth(most as usize)
        .map_or(text.len(), |(end, _)| end);
    &text[..end]
}

impl Token<'_> {
    /// Its class and value in Java's words.
    pub fn in_java(self) -> impl Display {
        let class = match self {
            Self::Boolean(_) => "java.lang.Boolean",
            Self::Long(_) => "java.lang.Long",
            Self::Double(_) | Self::Number(_) => "java.lang.Double",
            _ => "java.lang.String",
        };
        format!("{class} with value {self}")
    }
}

impl Display for Token<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Double(value) => f.write_str(&of_double(*value)),
            Self::Number(text) | Self::Text(text) | Self::Nested(text) => f.write_str(text),
        }
    }
}
