//! Events as subscribers get them: one stream's in a message, JSON and gzip. (Source: the CloudWatch Logs User Guide,
//! "Log group-level subscription filters".)
//!
//! The form is what subscribers are written for, so it stands here and not in the door.

use std::io::{self, Write};

use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, write::GzEncoder};
use headwater_types::Millis;
use serde::Serialize;

use crate::Event;

/// Events of one stream that go together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bundle {
    pub stream: String,
    /// At least one, in order.
    pub events: Vec<Event>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    message_type: &'a str,
    owner: &'a str,
    log_group: &'a str,
    log_stream: &'a str,
    subscription_filters: &'a [&'a str],
    log_events: Vec<Line<'a>>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    timestamp: u64,
    message: &'a str,
}

/// The events stream by stream, in bundles of about `most` bytes of messages; a larger event is alone.
pub(crate) fn bundles(events: Vec<Event>, most: usize) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = Vec::new();
    // The bundle that a stream's next event goes to, and the bytes that it has.
    let mut open = std::collections::HashMap::<String, (usize, usize)>::new();
    for event in events {
        let bytes = event.message.len();
        match open.get_mut(&event.stream) {
            Some((at, taken)) if *taken + bytes <= most => {
                *taken += bytes;
                bundles[*at].events.push(event);
            }
            _ => {
                open.insert(event.stream.clone(), (bundles.len(), bytes));
                bundles.push(Bundle {
                    stream: event.stream.clone(),
                    events: vec![event],
                });
            }
        }
    }
    bundles
}

impl Bundle {
    /// The message for a filter of a group.
    pub fn message(&self, owner: &str, group: &str, filter: &str) -> Result<Vec<u8>, io::Error> {
        let line = |event| {
            let event: &Event = event;
            Line {
                id: event.id(),
                timestamp: event.time.0,
                message: &event.message,
            }
        };
        packed(&Envelope {
            message_type: "DATA_MESSAGE",
            owner,
            log_group: group,
            log_stream: &self.stream,
            subscription_filters: &[filter],
            log_events: self.events.iter().map(line).collect(),
        })
    }
}

/// The message that a new subscription begins with.
pub(crate) fn control_message(now: Millis, destination: &str) -> Result<Vec<u8>, io::Error> {
    let message = format!("CWL CONTROL MESSAGE: Checking health of destination {destination}.");
    packed(&Envelope {
        message_type: "CONTROL_MESSAGE",
        owner: "CloudwatchLogs",
        log_group: "",
        log_stream: "",
        subscription_filters: &[],
        log_events: vec![Line {
            id: String::new(),
            timestamp: now.0,
            message: &message,
        }],
    })
}

/// The event that a function gets of a message.
pub(crate) fn function_event(message: &[u8]) -> Vec<u8> {
    format!(r#"{{"awslogs":{{"data":"{}"}}}}"#, STANDARD.encode(message)).into_bytes()
}

fn packed(envelope: &Envelope<'_>) -> Result<Vec<u8>, io::Error> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&serde_json::to_vec(envelope)?)?;
    gzip.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;
    use serde_json::{Value, json};

    use super::*;

    fn event(offset: u64, stream: &str, message: &str) -> Event {
        Event {
            offset,
            stream: stream.into(),
            time: Millis(1000 + offset),
            ingested: Millis(1),
            message: message.into(),
        }
    }

    fn unpacked(packed: &[u8]) -> Value {
        let mut text = String::new();
        GzDecoder::new(packed).read_to_string(&mut text).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn events_go_together_by_stream_and_in_order() {
        let events = vec![
            event(0, "a", "12"),
            event(1, "b", "1"),
            event(2, "a", "3"),
            event(3, "a", "1234"),
            event(4, "b", "2"),
        ];
        let found = bundles(events, 3);
        let shown = found.iter().map(|bundle| {
            let offsets = bundle.events.iter().map(|event| event.offset);
            (bundle.stream.as_str(), offsets.collect::<Vec<_>>())
        });
        let expected = [("a", vec![0, 2]), ("b", vec![1, 4]), ("a", vec![3])];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_message_is_what_subscribers_know() {
        let bundle = Bundle {
            stream: "s".into(),
            events: vec![event(7, "s", "ü")],
        };
        let message = bundle.message("000000000000", "g", "f").unwrap();
        let id = bundle.events[0].id();
        assert!(id.len() == 56 && id.bytes().all(|byte| byte.is_ascii_digit()));
        let expected = json!({
            "messageType": "DATA_MESSAGE", "owner": "000000000000", "logGroup": "g", "logStream": "s",
            "subscriptionFilters": ["f"], "logEvents": [{ "id": id, "timestamp": 1007, "message": "ü" }],
        });
        assert_eq!(unpacked(&message), expected);
        let event: Value = serde_json::from_slice(&function_event(&message)).unwrap();
        let data = STANDARD.decode(event["awslogs"]["data"].as_str().unwrap());
        assert_eq!(unpacked(&data.unwrap()), expected);
        let control = unpacked(&control_message(Millis(5), "Kinesis stream").unwrap());
        let text = "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream.";
        let expected = json!({
            "messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
            "subscriptionFilters": [], "logEvents": [{ "id": "", "timestamp": 5, "message": text }],
        });
        assert_eq!(control, expected);
    }
}
