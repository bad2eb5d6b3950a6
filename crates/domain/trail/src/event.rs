//! An event and its bytes in the log.
//!
//! Events of one kind look much alike, so they are compressed against the text of a usual one: some 300 bytes remain.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use headwater_types::Millis;
use serde::{Deserialize, Serialize};

use crate::limits::EVENT_BYTES_MAX;

/// The version of the encoding: what comes after it is raw deflate with [`USUAL`] before it.
const VERSION: u8 = 1;

/// The text that events are compressed against. It belongs to the version: another text is another version.
const USUAL: &[u8] = include_bytes!("usual.json");

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its id, a UUID.
    pub id: String,
    /// When it was answered.
    pub time: Millis,
    /// The operation.
    pub name: String,
    /// The service: `kinesis.amazonaws.com`.
    pub source: String,
    /// Whether it leaves everything as it is.
    pub read_only: bool,
    /// The name of its caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The id of the key that it was signed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// The resources that it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<Resource>,
    /// The whole event as it is given out, JSON.
    pub text: String,
}

/// A resource that a call is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// Its type: `AWS::Kinesis::Stream`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// The value of an event's record.
pub fn encode(event: &Event) -> Vec<u8> {
    let text = serde_json::to_vec(event).expect("an event is JSON");
    let mut deflate = Compress::new(Compression::default(), false);
    deflate
        .set_dictionary(USUAL)
        .expect("a text is no longer than a window");
    let mut value = Vec::with_capacity(text.len() / 2 + 64);
    value.push(VERSION);
    loop {
        let rest = &text[deflate.total_in() as usize..];
        let status = deflate
            .compress_vec(rest, &mut value, FlushCompress::Finish)
            .expect("any text is compressed");
        if status == Status::StreamEnd {
            return value;
        }
        value.reserve(text.len() / 2 + 64);
    }
}

/// The event of a record's value; none where it is none, or a later version wrote it.
pub fn decode(value: &[u8]) -> Option<Event> {
    let (version, packed) = value.split_first()?;
    if *version != VERSION {
        return None;
    }
    serde_json::from_slice(&inflate(packed)?).ok()
}

fn inflate(packed: &[u8]) -> Option<Vec<u8>> {
    let mut inflate = Decompress::new(false);
    inflate.set_dictionary(USUAL).ok()?;
    let mut text = Vec::with_capacity(packed.len().saturating_mul(4).clamp(2048, EVENT_BYTES_MAX));
    loop {
        let (read, had) = (inflate.total_in(), text.len());
        let rest = packed.get(read as usize..)?;
        let status = inflate.decompress_vec(rest, &mut text, FlushDecompress::None);
        match status.ok()? {
            _ if text.len() > EVENT_BYTES_MAX => return None,
            Status::StreamEnd => return Some(text),
            // Nothing moves although there is room: the rest is missing.
            _ if inflate.total_in() == read && text.len() == had && had < text.capacity() => {
                return None;
            }
            _ => text.reserve(text.capacity().min(EVENT_BYTES_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn event(text: String) -> Event {
        Event {
            id: "2c5f8a0e-7d1b-4c3f-9a52-0f6f7f1f3f5a".to_owned(),
            time: Millis(1_764_547_200_000),
            name: "CreateStream".to_owned(),
            source: "kinesis.amazonaws.com".to_owned(),
            read_only: false,
            username: Some("ann".to_owned()),
            access_key: Some("AKIAIOSFODNN7EXAMPLE".to_owned()),
            resources: vec![Resource {
                kind: "AWS::Kinesis::Stream".to_owned(),
                name: "taxi".to_owned(),
            }],
            text,
        }
    }

    proptest! {
        #[test]
        fn an_event_reads_back(text in ".{0,3000}", name in ".{0,20}", read_only: bool, time: u64) {
            let event = Event { name, read_only, time: Millis(time), ..event(text) };
            prop_assert_eq!(decode(&encode(&event)), Some(event));
        }

        #[test]
        fn any_bytes_are_an_event_or_none(value: Vec<u8>) {
            drop(decode(&value));
            drop(decode(&[&[VERSION], &value[..]].concat()));
        }

        #[test]
        fn a_part_of_an_event_is_none(share in 0.0..1.0) {
            let whole = encode(&event("{}".to_owned()));
            let part = &whole[..(whole.len() as f64 * share) as usize];
            prop_assert_eq!(decode(part), None);
        }
    }

    #[test]
    fn a_usual_event_takes_few_bytes() {
        let usual: Event = serde_json::from_slice(USUAL).unwrap();
        let mut text: serde_json::Value = serde_json::from_str(&usual.text).unwrap();
        text["requestParameters"]["streamName"] = "another-stream".into();
        text["eventID"] = "0f5dcbb1-1111-4c3f-9a52-0f6f7f1f3f5a".into();
        text["requestID"] = "7d6dcbb1-2222-4c3f-9a52-aabbccddeeff".into();
        text["eventTime"] = "2027-01-02T03:04:05Z".into();
        let bytes = encode(&event(text.to_string())).len();
        assert!(bytes < 400, "{bytes}");
    }

    #[test]
    fn what_would_be_too_large_is_no_event() {
        let large = encode(&event("a".repeat(EVENT_BYTES_MAX)));
        assert!(large.len() < 10_000, "{} bytes", large.len());
        assert!(decode(&large).is_none());
    }
}
