//! Scalars as text: in headers, query parameters, labels and XML elements.

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_shapes::{Shape, Tree};
use jiff::{Timestamp, fmt::rfc2822};
use serde_json::Value;

/// How times are written where the model does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Times {
    /// In headers.
    Rfc822,
    /// In queries and XML: with milliseconds.
    Iso8601,
    /// In answers of the query protocols: with milliseconds where there are any.
    Shortest,
}

/// The value that `text` is for a shape, or what it should have been.
pub(crate) fn parse_scalar(text: &str, shape: &Shape) -> Result<Value, &'static str> {
    let trimmed = text.trim();
    match shape {
        Shape::String { .. } => Ok(text.into()),
        Shape::Blob { .. } => match STANDARD.decode(trimmed) {
            Ok(_) => Ok(trimmed.into()),
            Err(_) => Err("base64"),
        },
        Shape::Integer { .. } => trimmed
            .parse::<i32>()
            .map(Value::from)
            .map_err(|_| "an integer"),
        Shape::Long { .. } => trimmed
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| "an integer"),
        Shape::Float { .. } | Shape::Double { .. } => trimmed
            .parse::<f64>()
            .map(|number| number.to_value())
            .map_err(|_| "a number"),
        Shape::Boolean if trimmed.eq_ignore_ascii_case("true") => Ok(true.into()),
        Shape::Boolean if trimmed.eq_ignore_ascii_case("false") => Ok(false.into()),
        Shape::Boolean => Err("true or false"),
        Shape::Timestamp { .. } => parse_time(trimmed).map(Value::from).ok_or("a time"),
        Shape::Document => serde_json::from_str(text).map_err(|_| "JSON"),
        Shape::List { .. } | Shape::Map { .. } | Shape::Structure(_) => Err("members of its own"),
    }
}

/// Seconds since the epoch, as `Timestamp` is in JSON. All of AWS's forms are understood everywhere.
fn parse_time(text: &str) -> Option<f64> {
    let time = text
        .parse()
        .or_else(|_| rfc2822::DateTimeParser::new().parse_timestamp(text));
    match time {
        Ok::<Timestamp, _>(time) => Some(time.as_millisecond() as f64 / 1000.0),
        Err(_) => text
            .parse()
            .ok()
            .filter(|seconds: &f64| seconds.is_finite()),
    }
}

/// A scalar of the tree as text. Times are seconds there; S3 and others write them with milliseconds in ISO 8601.
pub(crate) fn render_scalar(value: &Value, shape: &Shape, times: Times) -> String {
    match (value, shape) {
        (value, Shape::Timestamp { format }) => render_time(value, *format, times),
        (Value::String(text), _) => text.clone(),
        (value, _) => value.to_string(),
    }
}

fn render_time(value: &Value, format: Option<&str>, times: Times) -> String {
    let millis = (value.as_f64().unwrap_or_default() * 1000.0).round() as i64;
    let time = Timestamp::from_millisecond(millis).unwrap_or_default();
    match (format, times) {
        (Some("unixTimestamp"), _) => value.to_string(),
        (Some("rfc822"), _) | (None, Times::Rfc822) => {
            time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
        }
        (None, Times::Shortest) if millis % 1000 == 0 => {
            time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
        }
        _ => time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIME: Shape = Shape::Timestamp { format: None };

    #[test]
    fn times_are_read_in_every_form_and_written_in_their_own() {
        let seconds = Value::from(1_445_412_480.0);
        for text in [
            "2015-10-21T07:28:00Z",
            "2015-10-21T07:28:00.000Z",
            "Wed, 21 Oct 2015 07:28:00 GMT",
            "Wed, 21 Oct 2015 07:28:00 +0000",
            "1445412480",
        ] {
            assert_eq!(parse_scalar(text, &TIME), Ok(seconds.clone()), "{text}");
        }
        assert_eq!(
            render_scalar(&seconds, &TIME, Times::Rfc822),
            "Wed, 21 Oct 2015 07:28:00 GMT"
        );
        let fraction = Value::from(1_445_412_480.007);
        assert_eq!(
            render_scalar(&fraction, &TIME, Times::Iso8601),
            "2015-10-21T07:28:00.007Z"
        );
        for (value, text) in [
            (&seconds, "2015-10-21T07:28:00Z"),
            (&fraction, "2015-10-21T07:28:00.007Z"),
        ] {
            assert_eq!(render_scalar(value, &TIME, Times::Shortest), text);
        }
        let rfc = Shape::Timestamp {
            format: Some("rfc822"),
        };
        assert_eq!(
            render_scalar(&seconds, &rfc, Times::Iso8601),
            "Wed, 21 Oct 2015 07:28:00 GMT"
        );
        assert_eq!(parse_scalar("yesterday", &TIME), Err("a time"));
    }

    #[test]
    fn numbers_and_booleans_are_checked() {
        let integer = Shape::Integer {
            min: None,
            max: None,
        };
        assert_eq!(parse_scalar(" 12 ", &integer), Ok(12.into()));
        assert!(
            parse_scalar("2147483648", &integer).is_err() && parse_scalar("x", &integer).is_err()
        );
        assert_eq!(parse_scalar("True", &Shape::Boolean), Ok(true.into()));
        assert!(parse_scalar("yes", &Shape::Boolean).is_err());
        let blob = Shape::Blob {
            min: None,
            max: None,
            streaming: false,
        };
        assert!(parse_scalar("a===", &blob).is_err());
    }

    proptest! {
        #[test]
        fn any_millisecond_reads_back(millis in 0i64..253_402_300_799_000) {
            let value = Value::from(millis as f64 / 1000.0);
            let text = render_scalar(&value, &TIME, Times::Iso8601);
            let back = parse_scalar(&text, &TIME).unwrap().as_f64().unwrap();
            prop_assert_eq!((back * 1000.0).round() as i64, millis);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,40}") {
            let _ = parse_scalar(&text, &TIME);
        }
    }
}
