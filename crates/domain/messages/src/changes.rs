//! Changes of messages' state, and the bytes that they are in the log.

use bytes::Bytes;
use headwater_types::Millis;

use crate::codec::{Reader, Writer};

const VERSION: u8 = 1;

/// What is known of a message that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flight {
    /// When it can be received again.
    pub visible: Millis,
    /// How often it was received.
    pub receives: u32,
    /// When it was received first.
    pub first: Millis,
}

/// A change. Messages before the first that nobody looked at are either known here or gone; a change of one behind it
/// makes those between known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// A message was received, or its time in flight was changed.
    Flight(u64, Flight),
    /// A message is gone.
    Gone(u64),
    /// All messages before this one are gone: they expired.
    Expired(u64),
    /// All messages before this one are gone, and the ids are forgotten of those that were sent: a purge, and when.
    Purged(u64, Millis),
    /// A whole state begins: the first message that nobody looked at, and the last purge. The changes that follow name
    /// all messages before it that are not gone.
    Begin(u64, u64, Millis),
    /// A message is known and was never received.
    Known(u64),
}

/// The bytes of some changes.
pub(crate) fn encode(changes: &[Change]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.u8(VERSION);
    for change in changes {
        match *change {
            Change::Flight(offset, flight) => {
                writer.u8(1);
                writer.u64(offset);
                writer.u64(flight.visible.0);
                writer.u32(flight.receives);
                writer.u64(flight.first.0);
            }
            Change::Gone(offset) => {
                writer.u8(2);
                writer.u64(offset);
            }
            Change::Expired(before) => {
                writer.u8(3);
                writer.u64(before);
            }
            Change::Purged(before, time) => {
                writer.u8(4);
                writer.u64(before);
                writer.u64(time.0);
            }
            Change::Begin(next, purged, time) => {
                writer.u8(5);
                writer.u64(next);
                writer.u64(purged);
                writer.u64(time.0);
            }
            Change::Known(offset) => {
                writer.u8(6);
                writer.u64(offset);
            }
        }
    }
    writer.0
}

/// The changes that have these bytes.
pub(crate) fn decode(bytes: Bytes) -> Option<Vec<Change>> {
    let mut reader = Reader(bytes);
    if reader.u8()? != VERSION {
        return None;
    }
    let mut changes = Vec::new();
    while !reader.0.is_empty() {
        changes.push(match reader.u8()? {
            1 => Change::Flight(
                reader.u64()?,
                Flight {
                    visible: Millis(reader.u64()?),
                    receives: reader.u32()?,
                    first: Millis(reader.u64()?),
                },
            ),
            2 => Change::Gone(reader.u64()?),
            3 => Change::Expired(reader.u64()?),
            4 => Change::Purged(reader.u64()?, Millis(reader.u64()?)),
            5 => Change::Begin(reader.u64()?, reader.u64()?, Millis(reader.u64()?)),
            6 => Change::Known(reader.u64()?),
            _ => return None,
        });
    }
    Some(changes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn changes_come_back() {
        let flight = Flight {
            visible: Millis(1),
            receives: 2,
            first: Millis(3),
        };
        let changes = [
            Change::Flight(9, flight),
            Change::Gone(8),
            Change::Expired(7),
            Change::Purged(6, Millis(5)),
            Change::Begin(4, 3, Millis(2)),
            Change::Known(1),
        ];
        assert_eq!(decode(encode(&changes).into()).unwrap(), changes);
        assert_eq!(decode(Bytes::from_static(&[VERSION, 7])), None);
        assert_eq!(decode(Bytes::new()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let mut tagged = vec![VERSION];
            tagged.extend(bytes);
            let _ = decode(tagged.into());
        }
    }
}
