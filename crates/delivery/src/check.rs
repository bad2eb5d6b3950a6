//! Whether records are what a channel's record format says, and how one ends in an object.
//!
//! AWS's page on how S3 delivery works says what is checked; the codes, and the newline behind each text, are ours.

use base64::{display::Base64Display, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_types::Millis;
use serde::{Deserialize, Serialize, de::IgnoredAny};

use crate::{groups::UserRecord, item::Failure, transform::Transformed};

/// What records have to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Anything; concatenated as they are.
    #[default]
    Bytes,
    /// UTF-8; each ends in a newline.
    Text,
    /// JSON; each ends in a newline.
    Json,
}

/// A line about a record that is not what it has to be.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    raw_data: String,
    error_code: &'a str,
    error_message: &'a str,
    shard_id: &'a str,
    sequence_number: &'a str,
    subsequence_number: usize,
    arrival_timestamp: Millis,
    attempt_ending_timestamp: Millis,
}

/// Sorts records by whether they have `format`.
pub fn check(group: &[UserRecord], format: Format, now: Millis) -> Transformed {
    let mut out = Transformed::default();
    for record in group {
        match failure(&record.data, format) {
            None => {
                out.data.push(record.data.clone());
                if format != Format::Bytes && !record.data.ends_with(b"\n") {
                    out.data.push(Bytes::from_static(b"\n"));
                }
            }
            Some(failure) => {
                out.failures.push(line(record, &failure, now));
                if !out.examples.contains(&failure) {
                    out.examples.push(failure);
                }
            }
        }
    }
    out
}

fn failure(data: &[u8], format: Format) -> Option<Failure> {
    let failed = |code, message: &str| Some(Failure { code, message: message.to_owned() });
    match format {
        Format::Text if std::str::from_utf8(data).is_err() => {
            failed("DataFormat.InvalidString", "The record is not a valid UTF-8 string.")
        }
        Format::Json if serde_json::from_slice::<IgnoredAny>(data).is_err() => {
            failed("DataFormat.InvalidJson", "The record is not valid JSON.")
        }
        _ => None,
    }
}

fn line(record: &UserRecord, failure: &Failure, now: Millis) -> Bytes {
    let line = Line {
        raw_data: Base64Display::new(&record.data, &STANDARD).to_string(),
        error_code: failure.code,
        error_message: &failure.message,
        shard_id: &record.shard,
        sequence_number: &record.sequence_number,
        subsequence_number: record.sub,
        arrival_timestamp: record.arrival,
        attempt_ending_timestamp: now,
    };
    let mut line = serde_json::to_vec(&line).expect("a line of ours is always JSON");
    line.push(b'\n');
    line.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data: &'static [u8]) -> UserRecord {
        UserRecord {
            shard: "s".into(),
            sequence_number: "1".into(),
            sub: 0,
            partition_key: "k".into(),
            data: Bytes::from_static(data),
            arrival: Millis(7),
        }
    }

    #[test]
    fn each_format_takes_what_it_is() {
        let records = [record(b"{\"a\":1}"), record(b"\"b\"\n"), record(b"c"), record(b"\xff")];
        let delivered = |format| {
            let out = check(&records, format, Millis(9));
            (Bytes::from(out.data.concat()), out.failures.len(), out.examples.len())
        };
        assert_eq!(delivered(Format::Bytes), (Bytes::from_static(b"{\"a\":1}\"b\"\nc\xff"), 0, 0));
        assert_eq!(delivered(Format::Text), (Bytes::from_static(b"{\"a\":1}\n\"b\"\nc\n"), 1, 1));
        assert_eq!(delivered(Format::Json), (Bytes::from_static(b"{\"a\":1}\n\"b\"\n"), 2, 1));
        let line = check(&records[3..], Format::Text, Millis(9)).failures.remove(0);
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            line,
            serde_json::json!({
                "rawData": "/w==", "errorCode": "DataFormat.InvalidString",
                "errorMessage": "The record is not a valid UTF-8 string.", "shardId": "s", "sequenceNumber": "1",
                "subsequenceNumber": 0, "arrivalTimestamp": 7, "attemptEndingTimestamp": 9,
            })
        );
    }
}
