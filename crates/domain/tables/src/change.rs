//! A change of an item, as it stands in the change log of its partition: `docs/format/tables.md`.

use std::sync::Arc;

use bytes::Bytes;
use headwater_items::{Item, decode, encode, item_size};
use headwater_log::Record;
use headwater_types::Millis;

use crate::{
    KeySchema,
    codec::{Reader, Writer},
    keys::BaseKey,
};

/// The version of the record's form.
const VERSION: u8 = 1;
const EXPIRED: u8 = 1;
const EXISTED: u8 = 2;
const HAS_AFTER: u8 = 4;
const HAS_BEFORE: u8 = 8;

/// Bytes of a record before its items, and of an item's length.
const HEAD: usize = 2;
const LENGTH: usize = 4;
/// Bytes that most items have beside their names and values.
const ITEM_OVERHEAD: usize = 32;

/// A change of one item.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Its place in the change log of its partition.
    pub offset: u64,
    /// When it was made.
    pub time: Millis,
    /// The item's key.
    pub key: Item,
    /// Whether there was an item before.
    pub existed: bool,
    /// That item, where it was kept.
    pub before: Option<Item>,
    /// The item after; none where it was removed.
    pub after: Option<Item>,
    /// Whether it was removed because it had expired.
    pub expired: bool,
}

/// A change that is to be written, or is read to bring the index up to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Altered {
    pub key: BaseKey,
    pub before: Option<Arc<Item>>,
    pub after: Option<Arc<Item>>,
    /// The bytes of the item after, which its record and its row have.
    pub bytes: Option<Bytes>,
    pub expired: bool,
}

/// The value of a record, taken apart.
struct Parts {
    existed: bool,
    before: Option<Item>,
    after: Option<Item>,
    bytes: Option<Bytes>,
    expired: bool,
}

impl Altered {
    /// A change that is made now.
    pub fn new(key: BaseKey, before: Option<Arc<Item>>, after: Option<Arc<Item>>) -> Self {
        let bytes = after.as_ref().map(|item| encoded(item).into());
        Self {
            key,
            before,
            after,
            bytes,
            expired: false,
        }
    }

    /// The value of its record, whose key is the item's.
    pub fn encode(&self, keeps_before: bool) -> Vec<u8> {
        let before = self.before.as_ref().filter(|_| keeps_before);
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let before = before.map(|item| encoded(item));
        let items = self
            .bytes
            .iter()
            .map(|bytes| &bytes[..])
            .chain(before.as_deref());
        let length: usize = items.clone().map(|item| LENGTH + item.len()).sum();
        let mut to = Writer(Vec::with_capacity(HEAD + length));
        to.u8(VERSION);
        to.u8(flag(EXPIRED, self.expired)
            | flag(EXISTED, self.before.is_some())
            | flag(HAS_AFTER, self.after.is_some())
            | flag(HAS_BEFORE, before.is_some()));
        items.for_each(|item| to.bytes(item));
        to.0
    }

    /// The change of a record, without the item before.
    pub fn decode(key: &[u8], value: Bytes) -> Option<Self> {
        let parts = Parts::decode(value)?;
        Some(Self {
            key: BaseKey::decode(key)?,
            before: None,
            after: parts.after.map(Arc::new),
            // Of its own: what is read of a log is many records.
            bytes: parts.bytes.map(|bytes| Bytes::copy_from_slice(&bytes)),
            expired: parts.expired,
        })
    }
}

impl Change {
    /// The change of a record of a table with such a key.
    pub(crate) fn decode(schema: &KeySchema, record: &Record) -> Option<Self> {
        let parts = Parts::decode(record.value.clone())?;
        Some(Self {
            offset: record.offset,
            time: record.time,
            key: BaseKey::decode(&record.key)?.item(schema)?,
            existed: parts.existed,
            before: parts.before,
            after: parts.after,
            expired: parts.expired,
        })
    }
}

impl Parts {
    fn decode(value: Bytes) -> Option<Self> {
        let mut from = Reader(value);
        if from.u8()? != VERSION {
            return None;
        }
        let flags = from.u8()?;
        let mut bytes = |flag: u8| match flags & flag {
            0 => Some(None),
            _ => from.bytes().map(Some),
        };
        let (bytes, before) = (bytes(HAS_AFTER)?, bytes(HAS_BEFORE)?);
        let item = |bytes: &Option<Bytes>| bytes.as_deref().map(decode).transpose().ok();
        let (after, before) = (item(&bytes)?, item(&before)?);
        from.0.is_empty().then_some(Self {
            existed: flags & EXISTED != 0,
            before,
            after,
            bytes,
            expired: flags & EXPIRED != 0,
        })
    }
}

/// The bytes of an item, without room to spare.
fn encoded(item: &Item) -> Box<[u8]> {
    let mut bytes = Vec::with_capacity(item_size(item) + ITEM_OVERHEAD);
    encode(item, &mut bytes);
    bytes.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use headwater_items::Value;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_change_comes_back_with_as_much_as_is_kept() {
        let mut key = Vec::new();
        headwater_items::key::encode(&Value::String("k".into()), &mut key);
        let item = |x: bool| {
            let key = ("p".to_owned(), Value::String("k".into()));
            Arc::new(Item::from([key, ("x".to_owned(), Value::Bool(x))]))
        };
        let schema = KeySchema {
            partition: "p".into(),
            sort: None,
        };
        for (before, after, keeps) in [
            (None, Some(item(true)), true),
            (Some(item(false)), Some(item(true)), true),
            (Some(item(false)), None, false),
        ] {
            let change = Altered {
                expired: after.is_none(),
                ..Altered::new(
                    BaseKey::decode(&key).unwrap(),
                    before.clone(),
                    after.clone(),
                )
            };
            let record = Record {
                offset: 3,
                time: Millis(4),
                key: key.clone().into(),
                value: change.encode(keeps).into(),
            };
            let read = Change::decode(&schema, &record).unwrap();
            assert_eq!(
                (read.existed, read.expired),
                (before.is_some(), after.is_none())
            );
            assert_eq!(
                read.before,
                before.filter(|_| keeps).map(Arc::unwrap_or_clone)
            );
            assert_eq!(read.after, after.map(Arc::unwrap_or_clone));
            assert_eq!(read.key["p"], Value::String("k".into()));
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_change_or_one(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            Altered::decode(&bytes, bytes.clone().into());
        }
    }
}
