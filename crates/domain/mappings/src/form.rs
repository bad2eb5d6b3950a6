//! The forms of a stream's records, as functions and patterns see them: AWS's members, as recorded.

use std::fmt::Write;

use base64::{Engine, engine::general_purpose::STANDARD};
use headwater_log::SourceRecord;
use headwater_types::{Arn, Millis};
use serde_json::{Value, json};

use crate::payload::{Frame, to_the_millisecond, whole_seconds};

/// The kind of a stream's records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Bytes that somebody put under a key.
    Data,
    /// Changes of a table: JSON as it stands in events, which their source gives.
    Changes,
}

impl Form {
    /// The form of a stream's records.
    pub fn of(stream: &Arn) -> Self {
        match &*stream.service {
            "dynamodb" => Self::Changes,
            _ => Self::Data,
        }
    }

    /// The bytes that a record takes in an event, at most.
    pub fn event_bytes(self, record: &SourceRecord) -> usize {
        /// Names, numbers and ARNs.
        const FRAME: usize = 1024;
        match self {
            Self::Data => {
                record.data.len().div_ceil(3) * 4 + record.partition_key.len() * 6 + FRAME
            }
            Self::Changes => record.data.len() + ",".len(),
        }
    }

    /// Adds a record to those of an event.
    pub fn add(self, out: &mut String, frame: &Frame<'_>, record: &SourceRecord) {
        match self {
            Self::Data => add_data(out, frame, record),
            Self::Changes => out.push_str(&String::from_utf8_lossy(&record.data)),
        }
    }

    /// A record as patterns see it.
    pub fn filtered(self, shard: &str, record: &SourceRecord) -> Value {
        match self {
            Self::Data => filtered_data(shard, record),
            // A record that is no JSON matches nothing.
            Self::Changes => serde_json::from_slice(&record.data).unwrap_or_default(),
        }
    }

    /// The member that tells of a batch that was given up.
    pub fn batch_member(self) -> &'static str {
        match self {
            Self::Data => "KinesisBatchInfo",
            Self::Changes => "DDBStreamBatchInfo",
        }
    }

    /// The time at which a record arrived, as is told of a batch that was given up.
    pub fn arrival(self, record: &SourceRecord) -> String {
        match self {
            Self::Data => to_the_millisecond(record.arrival),
            Self::Changes => whole_seconds(record.arrival),
        }
    }
}

fn add_data(out: &mut String, frame: &Frame<'_>, record: &SourceRecord) {
    let Frame {
        mapping,
        shard,
        role,
        ..
    } = frame;
    let key = String::from_utf8_lossy(&record.partition_key);
    let number = &record.sequence_number;
    out.push_str("{\"kinesis\":{\"kinesisSchemaVersion\":\"1.0\",\"partitionKey\":");
    out.push_str(&Value::from(key).to_string());
    // Writing to a text cannot fail.
    let _ = write!(out, ",\"sequenceNumber\":\"{number}\",\"data\":\"");
    STANDARD.encode_string(&record.data, out);
    let _ = write!(
        out,
        "\",\"approximateArrivalTimestamp\":{}}},\"eventSource\":\"aws:kinesis\",\"eventVersion\":\"1.0\",\"eventID\":\"{shard}:{number}\",\"eventName\":\"aws:kinesis:record\",\"invokeIdentityArn\":{},\"awsRegion\":\"{}\",\"eventSourceARN\":\"{}\"}}",
        seconds(record.arrival),
        Value::from(*role),
        mapping.stream.region,
        mapping.source,
    );
}

/// Metadata, and the data as JSON where it is JSON and as a text otherwise. So a pattern for members of the data never
/// matches a plain text, nor one for a text JSON data (AWS's guide on filtering).
fn filtered_data(shard: &str, record: &SourceRecord) -> Value {
    let text = String::from_utf8_lossy(&record.data);
    let data = serde_json::from_str(&text).unwrap_or_else(|_| Value::from(&*text));
    json!({
        "kinesisSchemaVersion": "1.0",
        "partitionKey": String::from_utf8_lossy(&record.partition_key),
        "sequenceNumber": record.sequence_number.to_string(),
        "approximateArrivalTimestamp": record.arrival.0 as f64 / 1000.0,
        "shardId": shard,
        "data": data,
    })
}

/// Seconds with their fraction, as a number.
fn seconds(time: Millis) -> String {
    let (whole, fraction) = (time.0 / 1000, time.0 % 1000);
    let digits = format!("{fraction:03}");
    match digits.trim_end_matches('0') {
        "" => format!("{whole}.0"),
        digits => format!("{whole}.{digits}"),
    }
}
