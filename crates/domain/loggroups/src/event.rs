//! An event as it is kept: a record whose key is the log stream and whose value is time and message.

use headwater_log::Record;
use headwater_types::Millis;

use crate::limits;

/// The version of the encoding: one byte of it, eight of time (little endian, ms), the message in UTF-8.
const VERSION: u8 = 1;
const HEADER: usize = 9;

/// An event as it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// When it happened, as its writer says.
    pub time: Millis,
    /// The message.
    pub message: String,
}

/// An event as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place in the group, counted from 0.
    pub offset: u64,
    /// The log stream that it belongs to.
    pub stream: String,
    /// When it happened.
    pub time: Millis,
    /// When it arrived.
    pub ingested: Millis,
    /// The message.
    pub message: String,
}

impl Event {
    /// Its id as AWS writes ids, 56 digits: a number that grows with time, and is never used twice in a group.
    pub fn id(&self) -> String {
        format!("{:020}{:036}", self.time.0, self.offset)
    }
}

impl NewEvent {
    /// Its size as AWS counts it.
    pub(crate) fn size(&self) -> usize {
        self.message.len() + limits::EVENT_OVERHEAD_BYTES
    }
}

/// The record's value of an event; its key is the log stream.
pub(crate) fn encode(event: &NewEvent) -> Vec<u8> {
    let mut value = Vec::with_capacity(HEADER + event.message.len());
    value.push(VERSION);
    value.extend_from_slice(&event.time.0.to_le_bytes());
    value.extend_from_slice(event.message.as_bytes());
    value
}

/// The size of an event as AWS counts it.
pub(crate) fn stored_size(record: &Record) -> u64 {
    (record.value.len().saturating_sub(HEADER) + limits::EVENT_OVERHEAD_BYTES) as u64
}

/// The event of a record; none when a later version wrote it.
pub(crate) fn decode(record: &Record) -> Option<Event> {
    let (header, message) = record.value.split_at_checked(HEADER)?;
    let (version, time) = header.split_first()?;
    if *version != VERSION {
        return None;
    }
    Some(Event {
        offset: record.offset,
        stream: String::from_utf8(record.key.to_vec()).ok()?,
        time: Millis(u64::from_le_bytes(time.try_into().ok()?)),
        ingested: record.time,
        message: String::from_utf8(message.to_vec()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn record(key: Vec<u8>, value: Vec<u8>) -> Record {
        Record {
            offset: 7,
            time: Millis(9),
            key: key.into(),
            value: value.into(),
        }
    }

    proptest! {
        #[test]
        fn an_event_reads_back(stream in ".{1,20}", time: u64, message in ".{0,100}") {
            let new = NewEvent { time: Millis(time), message };
            let event = decode(&record(stream.clone().into(), encode(&new))).unwrap();
            prop_assert_eq!((event.time, event.message), (new.time, new.message));
            prop_assert_eq!((event.offset, event.stream, event.ingested), (7, stream, Millis(9)));
        }

        #[test]
        fn any_bytes_are_an_event_or_none(key: Vec<u8>, value: Vec<u8>) {
            drop(decode(&record(key, value)));
        }
    }
}
