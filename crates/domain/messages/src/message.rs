//! Messages, and the bytes that they are in the log.

use std::{collections::BTreeMap, time::Duration};

use bytes::Bytes;
use headwater_types::Millis;

use crate::codec::{Reader, Writer};

/// The form of the bytes.
const VERSION: u8 = 1;

/// Attributes that a sender gave to a message, by their names.
pub type Attributes = BTreeMap<String, Attribute>;

/// An attribute of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its type: `String`, `Number` or `Binary`, each with a label behind a dot if the sender likes.
    pub data_type: String,
    /// Its value.
    pub value: Value,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// That of a string or a number.
    Text(String),
    /// That of another.
    Binary(Bytes),
}

impl Value {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

/// A message to send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewMessage {
    /// Its text.
    pub body: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// The trace that it belongs to.
    pub trace: Option<String>,
    /// How long nobody receives it; the queue's delay where it is not said.
    pub delay: Option<Duration>,
    /// The group within which it is in order; needed in FIFO queues.
    pub group: Option<String>,
    /// The id by which a second sending is told; of the text in FIFO queues that are set so.
    pub dedup: Option<String>,
    /// The sender's id.
    pub sender: String,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// Its id.
    pub id: String,
    /// When it was sent first.
    pub sent: Millis,
    /// How long after it was kept nobody receives it.
    pub delay: Duration,
    /// Receives before it came to this queue as a dead letter.
    pub receives: u32,
    /// The first of them.
    pub first_received: Millis,
    /// The queue that it is a dead letter of, by its name.
    pub source: Option<String>,
    pub sender: String,
    pub trace: Option<String>,
    pub group: Option<String>,
    pub dedup: Option<String>,
    pub attributes: Attributes,
    pub body: String,
}

impl Message {
    /// Its bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(Vec::with_capacity(self.body.len() + 200));
        writer.u8(VERSION);
        writer.bytes(self.id.as_bytes());
        writer.u64(self.sent.0);
        writer.u32(u32::try_from(self.delay.as_secs()).unwrap_or(u32::MAX));
        writer.u32(self.receives);
        writer.u64(self.first_received.0);
        writer.option(self.source.as_deref());
        writer.bytes(self.sender.as_bytes());
        writer.option(self.trace.as_deref());
        writer.option(self.group.as_deref());
        writer.option(self.dedup.as_deref());
        writer.u16(u16::try_from(self.attributes.len()).unwrap_or(u16::MAX));
        for (name, attribute) in &self.attributes {
            writer.bytes(name.as_bytes());
            writer.bytes(attribute.data_type.as_bytes());
            writer.u8(u8::from(matches!(attribute.value, Value::Binary(_))));
            writer.bytes(attribute.value.bytes());
        }
        writer.bytes(self.body.as_bytes());
        writer.0
    }

    /// The message that has these bytes.
    pub fn decode(bytes: Bytes) -> Option<Self> {
        let mut reader = Reader(bytes);
        if reader.u8()? != VERSION {
            return None;
        }
        let mut message = Self {
            id: reader.text()?,
            sent: Millis(reader.u64()?),
            delay: Duration::from_secs(reader.u32()?.into()),
            receives: reader.u32()?,
            first_received: Millis(reader.u64()?),
            source: reader.option()?,
            sender: reader.text()?,
            trace: reader.option()?,
            group: reader.option()?,
            dedup: reader.option()?,
            attributes: Attributes::new(),
            body: String::new(),
        };
        for _ in 0..reader.u16()? {
            let (name, attribute) = read_attribute(&mut reader)?;
            message.attributes.insert(name, attribute);
        }
        message.body = reader.text()?;
        reader.0.is_empty().then_some(message)
    }
}

fn read_attribute(reader: &mut Reader) -> Option<(String, Attribute)> {
    let (name, data_type) = (reader.text()?, reader.text()?);
    let value = match reader.u8()? {
        0 => Value::Text(reader.text()?),
        1 => Value::Binary(reader.bytes()?),
        _ => return None,
    };
    Some((name, Attribute { data_type, value }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message() -> Message {
        let value = |value| Attribute {
            data_type: "T".into(),
            value,
        };
        Message {
            id: "id".into(),
            sent: Millis(7),
            delay: Duration::from_secs(3),
            receives: 2,
            first_received: Millis(8),
            source: Some("q".into()),
            sender: "s".into(),
            trace: None,
            group: Some("g".into()),
            dedup: Some(String::new()),
            attributes: Attributes::from([
                ("a".into(), value(Value::Text("x".into()))),
                (
                    "b".into(),
                    value(Value::Binary(Bytes::from_static(&[0, 255]))),
                ),
            ]),
            body: "body".into(),
        }
    }

    #[test]
    fn a_message_comes_back_and_a_part_of_one_does_not() {
        let bytes = message().encode();
        assert_eq!(Message::decode(bytes.clone().into()), Some(message()));
        for end in 0..bytes.len() {
            assert_eq!(Message::decode(bytes[..end].to_vec().into()), None);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut tagged = vec![VERSION];
            tagged.extend(bytes);
            let _ = Message::decode(tagged.into());
        }
    }
}
