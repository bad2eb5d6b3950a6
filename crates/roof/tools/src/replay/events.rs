//! From a source's text to events: JSON lines or CSV, each event one minified JSON object and a line feed.

use std::io::{self, BufRead, Read};

use bytes::Bytes;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use serde_json::{Map, Value};

use crate::limits::LINE_BYTES_MAX;

/// How a source's text is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// JSON where the first character is `{`, else CSV.
    Auto,
    /// One JSON object a line.
    Json,
    /// Comma-separated values with a header row.
    Csv,
}

/// The names of the attributes that hold an event's time and its partition key.
#[derive(Debug, Clone)]
pub struct Attributes {
    /// The attribute that holds the event time.
    pub timestamp: String,
    /// The attribute that becomes the partition key.
    pub partition_key: String,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplayEvent {
    /// When it happened, in milliseconds since the epoch.
    pub time: i64,
    /// The value of the partition key's attribute; none where the event has no such.
    pub key: Option<String>,
    /// The record: a minified JSON object and a line feed.
    pub data: Bytes,
}

/// Why a line is not an event.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// Reading or unpacking failed.
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    /// It is too long.
    #[error("is longer than {LINE_BYTES_MAX} bytes")]
    Long,
    /// It is not JSON.
    #[error("is not a JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// It is not CSV.
    #[error("is not CSV: {0}")]
    Csv(#[from] csv::Error),
    /// It has no time.
    #[error("has no time in `{attribute}` ({found}); say with --timestamp-attribute where it is")]
    Time {
        /// Where it was looked for.
        attribute: String,
        /// The value that was there instead.
        found: String,
    },
}

/// Reads events until `each` says to stop, by returning `false`. Blank lines and the watermarks of an earlier
/// replay are passed over. On an error, the number of the line comes with it.
pub fn read(
    mut text: impl BufRead,
    format: Format,
    attributes: &Attributes,
    each: &mut dyn FnMut(ReplayEvent) -> bool,
) -> Result<(), (u64, BadEvent)> {
    let csv = match format {
        Format::Auto => !text
            .fill_buf()
            .map_err(|e| (1, e.into()))?
            .trim_ascii_start()
            .starts_with(b"{"),
        Format::Json => false,
        Format::Csv => true,
    };
    if csv {
        read_csv(text, attributes, each)
    } else {
        read_lines(text, attributes, each)
    }
}

fn read_lines(
    mut text: impl BufRead,
    attributes: &Attributes,
    each: &mut dyn FnMut(ReplayEvent) -> bool,
) -> Result<(), (u64, BadEvent)> {
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = text
            .by_ref()
            .take(LINE_BYTES_MAX)
            .read_until(b'\n', &mut line);
        let problem = match read {
            Ok(0) => break,
            Ok(n) if n as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") => BadEvent::Long,
            Ok(_) => match event(&line, attributes) {
                Ok(event) => match event.is_none_or(&mut *each) {
                    true => continue,
                    false => break,
                },
                Err(problem) => problem,
            },
            Err(error) => error.into(),
        };
        return Err((number, problem));
    }
    Ok(())
}

fn read_csv(
    text: impl Read,
    attributes: &Attributes,
    each: &mut dyn FnMut(ReplayEvent) -> bool,
) -> Result<(), (u64, BadEvent)> {
    let mut rows = csv::Reader::from_reader(text);
    let header = rows.headers().map_err(|e| (1, e.into()))?.clone();
    for row in rows.records() {
        let row = row.map_err(|e| (e.position().map_or(0, csv::Position::line), e.into()))?;
        let line = row.position().map_or(0, csv::Position::line);
        let event = event(object(&header, &row).as_bytes(), attributes)
            .map_err(|problem| (line, problem))?;
        if !event.is_none_or(&mut *each) {
            break;
        }
    }
    Ok(())
}

/// A row as a JSON object: numbers as they are spelled, times in ISO 8601, nothing for an empty field.
fn object(header: &csv::StringRecord, row: &csv::StringRecord) -> String {
    let fields = header
        .iter()
        .zip(row)
        .filter(|(_, field)| !field.is_empty());
    let members: Vec<String> = fields
        .map(|(name, field)| format!("{}:{}", Value::from(name), value(field)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn value(field: &str) -> String {
    let number = field.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if number && serde_json::from_str::<serde_json::Number>(field).is_ok() {
        return field.to_owned();
    }
    // 2018-01-11 18:24:44, as times are published.
    let time = (field.len() == 19)
        .then(|| field.parse::<DateTime>().ok())
        .flatten();
    match time {
        Some(time) => format!("\"{time}.000Z\""),
        None => Value::from(field).to_string(),
    }
}

/// The event of one line; none for a blank line or a watermark.
fn event(line: &[u8], attributes: &Attributes) -> Result<Option<ReplayEvent>, BadEvent> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let object: Map<String, Value> = serde_json::from_slice(line)?;
    if object.get("type").is_some_and(|t| t == "watermark") && object.contains_key("watermark") {
        return Ok(None);
    }
    let found = object.get(&attributes.timestamp);
    let Some(time) = found.and_then(time) else {
        let found = found.map_or("it is not there".to_owned(), Value::to_string);
        return Err(BadEvent::Time {
            attribute: attributes.timestamp.clone(),
            found,
        });
    };
    let key = object
        .get(&attributes.partition_key)
        .and_then(|key| match key {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.chars().take(256).collect()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
    Ok(Some(ReplayEvent {
        time,
        key,
        data: minified(line),
    }))
}

/// A time in ISO 8601 (UTC where it names no zone), or milliseconds since the epoch.
fn time(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => parse_time(text),
        Value::Number(millis) => millis.as_i64(),
        _ => None,
    }
}

/// Milliseconds since the epoch of a time in ISO 8601; UTC where it names no zone.
pub fn parse_time(text: &str) -> Option<i64> {
    let zoned = text.parse::<Timestamp>().ok();
    let time = zoned.or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        civil
            .to_zoned(TimeZone::UTC)
            .ok()
            .map(|zoned| zoned.timestamp())
    });
    time.map(Timestamp::as_millisecond)
}

/// A JSON text without white space between its tokens, and a line feed. Numbers and strings keep their
/// spelling.
fn minified(json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(json.len() + 1);
    let (mut in_string, mut escaped) = (false, false);
    for &byte in json {
        if in_string {
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_string = byte == b'"';
        }
        out.push(byte);
    }
    out.push(b'\n');
    out.into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn attributes() -> Attributes {
        Attributes {
            timestamp: "dropoff_datetime".into(),
            partition_key: "trip_id".into(),
        }
    }

    fn all(text: &str) -> Result<Vec<ReplayEvent>, (u64, BadEvent)> {
        let mut events = Vec::new();
        read(text.as_bytes(), Format::Auto, &attributes(), &mut |event| {
            events.push(event);
            true
        })?;
        Ok(events)
    }

    #[test]
    fn an_event_keeps_its_spelling_and_loses_its_space() {
        let text = " { \"trip_id\" : 7, \"a b\" : \" \\\" { \", \"fare\": 10.0,\r\n";
        let text = text.replace(
            "\r\n",
            "\"dropoff_datetime\":\"2018-01-01T00:12:08.000Z\"}\r\n\n",
        );
        let events = all(&text).unwrap();
        assert_eq!(events.len(), 1);
        assert_eq!(
            (events[0].time, events[0].key.as_deref()),
            (1_514_765_528_000, Some("7"))
        );
        let data = "{\"trip_id\":7,\"a b\":\" \\\" { \",\"fare\":10.0,\"dropoff_datetime\":\"2018-01-01T00:12:08.000Z\"}\n";
        assert_eq!(events[0].data, data);
    }

    #[test]
    fn a_row_becomes_an_object_with_typed_numbers() {
        let text =
            "vendor_id,dropoff_datetime,fare,flag,code,none\n2,2018-01-11 18:35:02,8.50,N,007,\n";
        let events = all(text).unwrap();
        let data = "{\"vendor_id\":2,\"dropoff_datetime\":\"2018-01-11T18:35:02.000Z\",\"fare\":8.50,\"flag\":\"N\",\"code\":\"007\"}\n";
        assert_eq!(
            (&events[0].data[..], &events[0].key),
            (data.as_bytes(), &None)
        );
        assert_eq!(events[0].time, parse_time("2018-01-11T18:35:02Z").unwrap());
    }

    #[test]
    fn watermarks_of_an_earlier_replay_are_passed_over() {
        let text = "{\"watermark\":\"2018-01-01T00:12:08.000Z\",\"type\":\"watermark\"}\n";
        assert_eq!(all(text).unwrap(), []);
    }

    #[test]
    fn a_bad_line_is_named_by_its_number() {
        let good = "{\"dropoff_datetime\":0}\n";
        for bad in [
            "nope",
            "[1]",
            "{}",
            "{\"dropoff_datetime\":\"soon\"}",
            "{\"dropoff_datetime\":0",
        ] {
            let (line, _) = all(&format!("{good}{good}{bad}\n")).unwrap_err();
            assert_eq!(line, 3, "{bad}");
        }
        let (line, _) = all("a,dropoff_datetime\n1,2\n1\n").unwrap_err();
        assert_eq!(line, 3);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in prop::collection::vec(any::<u8>(), 0..300), csv: bool) {
            let format = if csv { Format::Csv } else { Format::Json };
            let _ = read(&text[..], format, &attributes(), &mut |_| true);
        }

        #[test]
        fn minified_json_says_the_same(text in "\\PC{0,30}", n: f64, k in "[a-z\"\\\\]{1,9}") {
            prop_assume!(n.is_finite());
            let value = serde_json::json!({ k: [text, { "n": n }] });
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert_eq!(minified(&pretty), format!("{value}\n"));
        }
    }
}
