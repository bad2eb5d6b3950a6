//! A message as it is kept in its topic's shard: a byte that says how, and JSON.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::Protocol;

/// How messages are written by this version.
const VERSION: u8 = 1;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// Its id, a UUID.
    pub id: String,
    /// Its subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Its body.
    pub body: String,
    /// Its bodies for certain protocols, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bodies: BTreeMap<String, String>,
    /// Its attributes, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, Attribute>,
    /// The group that it belongs to in queues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The publisher's trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
}

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its type as it was written: `String`, `Number.int` …
    pub data_type: String,
    /// Its value.
    pub value: Value,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Value {
    /// A text.
    #[serde(rename = "text")]
    Text(String),
    /// Bytes, in base64.
    #[serde(rename = "base64")]
    Base64(String),
}

impl Value {
    /// A value of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self::Base64(STANDARD.encode(bytes))
    }

    /// The bytes of a value; those of its text where it is one.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            // What is kept was encoded here.
            Self::Base64(text) => STANDARD.decode(text).unwrap_or_default(),
        }
    }

    /// The value as envelopes have it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Text(text) | Self::Base64(text) => text,
        }
    }

    /// How many bytes it has.
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Base64(text) => text.len() / 4 * 3,
        }
    }
}

impl Message {
    /// The body for a protocol.
    pub(crate) fn body_for(&self, protocol: Protocol) -> &str {
        self.bodies.get(protocol.as_str()).unwrap_or(&self.body)
    }

    /// How many bytes its attributes have, as AWS counts them: names, types and values.
    pub fn attribute_bytes(&self) -> usize {
        let of =
            |(name, it): (&String, &Attribute)| name.len() + it.data_type.len() + it.value.len();
        self.attributes.iter().map(of).sum()
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        serde_json::to_writer(&mut bytes, self).expect("a message is texts");
        bytes
    }

    /// The message that was encoded so; nothing where this version does not know how.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&VERSION, json) => serde_json::from_slice(json).ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let attribute = |data_type: &str, value| {
            let data_type = data_type.to_owned();
            Attribute { data_type, value }
        };
        let message = Message {
            id: "1".to_owned(),
            body: "ö\u{1}".to_owned(),
            bodies: [("sqs".to_owned(), "for queues".to_owned())].into(),
            attributes: [
                (
                    "a".to_owned(),
                    attribute("Binary", Value::of_bytes(&[1, 255])),
                ),
                (
                    "b".to_owned(),
                    attribute("String", Value::Text("x".to_owned())),
                ),
            ]
            .into(),
            ..Message::default()
        };
        let read = Message::decode(&message.encode()).unwrap();
        assert_eq!(read, message);
        assert_eq!(read.attributes["a"].value.bytes(), [1, 255]);
        assert_eq!(read.body_for(Protocol::Sqs), "for queues");
        assert_eq!(read.body_for(Protocol::Http), "ö\u{1}");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_are_read_or_not(bytes in proptest::collection::vec(0_u8.., 0..200)) {
            let _ = Message::decode(&bytes);
        }
    }
}
