//! Whether records are what a channel's record format says, and how one ends in an object.
//!
//! AWS's page on how S3 delivery works says what is checked; the codes, and the newline behind each text, are ours.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::pure::Pure;
use crate::{
    config::Format,
    records::{Failure, Item, UserRecord},
    steps::append::append,
};

impl Pure for Format {
    fn apply(&self, mut item: Item, out: &mut Vec<Item>) -> Result<(), Failure> {
        match self {
            Self::Text if std::str::from_utf8(&item.data).is_err() => {
                return Err(Failure::new(
                    "DataFormat.InvalidString",
                    "The record is not a valid UTF-8 string.",
                ));
            }
            Self::Json if serde_json::from_slice::<IgnoredAny>(&item.data).is_err() => {
                return Err(Failure::new(
                    "DataFormat.InvalidJson",
                    "The record is not valid JSON.",
                ));
            }
            _ => {}
        }
        if !item.data.ends_with(b"\n") {
            item.data = append(&item.data, b"\n");
        }
        out.push(item);
        Ok(())
    }

    fn more(&self, record: &UserRecord) -> Vec<(&'static str, Value)> {
        vec![
            ("shardId", json!(*record.shard)),
            ("sequenceNumber", json!(record.sequence_number.to_string())),
            ("subsequenceNumber", json!(record.sub)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_types::Millis;

    use super::*;
    use crate::{records::Outcome, steps::pipeline::apply_all, testing::number};

    fn record(data: &'static [u8]) -> UserRecord {
        UserRecord {
            shard: "s".into(),
            sequence_number: number(0, 0),
            sub: 0,
            partition_key: "k".into(),
            data: Bytes::from_static(data),
            arrival: Millis(7),
        }
    }

    fn check(records: &[UserRecord], format: Format) -> Outcome {
        apply_all(
            &[Box::new(format)],
            Outcome::of(records.to_vec()).items,
            Millis(9),
        )
    }

    #[test]
    fn each_format_takes_what_it_is() {
        let records = [
            record(b"{\"a\":1}"),
            record(b"\"b\"\n"),
            record(b"c"),
            record(b"\xff"),
        ];
        let delivered = |format| {
            let out = check(&records, format);
            let data: Vec<_> = out
                .items
                .iter()
                .flat_map(|item| item.data.to_vec())
                .collect();
            (Bytes::from(data), out.rejected.len())
        };
        assert_eq!(
            delivered(Format::Text),
            (Bytes::from_static(b"{\"a\":1}\n\"b\"\nc\n"), 1)
        );
        assert_eq!(
            delivered(Format::Json),
            (Bytes::from_static(b"{\"a\":1}\n\"b\"\n"), 2)
        );
        let line = check(&records[3..], Format::Text).rejected.remove(0).line();
        let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(
            line,
            serde_json::json!({
                "rawData": "/w==", "errorCode": "DataFormat.InvalidString",
                "errorMessage": "The record is not a valid UTF-8 string.", "shardId": "s", "sequenceNumber": number(0, 0).to_string(),
                "subsequenceNumber": 0, "attemptsMade": 1, "arrivalTimestamp": 7, "attemptEndingTimestamp": 9,
            })
        );
    }
}
