//! What the index knows of a partition: how far it is in its changes, how much it has, and how far new indexes are filled.

use std::collections::BTreeMap;

use bytes::Bytes;
use headwater_types::Millis;

use crate::{
    codec::{Reader, Writer},
    layout::Layout,
};

/// The version of the row's form.
const VERSION: u8 = 1;

/// The row, which is written with every batch of the partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    /// The offset of the first change that is not in the index.
    pub position: u64,
    /// The time of the last that is.
    pub time: Millis,
    pub items: u64,
    pub bytes: u64,
    /// The indexes, by their ids.
    pub indexes: BTreeMap<u64, Entries>,
}

/// What an index has of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Entries {
    /// Of a new index, the row of the last item that was added; items behind it are not in the index, and are not yet
    /// written to it. None once all are.
    pub filled: Option<Vec<u8>>,
    pub count: u64,
    pub bytes: u64,
}

impl Meta {
    /// Begins new indexes, and forgets those that are no more. An index of a table without changes is filled.
    pub fn follow(&mut self, layout: &Layout) {
        let is_kept = |id: &u64| layout.indexes.iter().any(|index| index.id == *id);
        self.indexes.retain(|id, _| is_kept(id));
        let filled = (self.position > 0).then(Vec::new);
        for index in &layout.indexes {
            self.indexes.entry(index.id).or_insert_with(|| Entries {
                filled: filled.clone(),
                ..Entries::default()
            });
        }
    }

    /// Whether an index has an item's entry, where the item has one.
    pub fn is_filled(&self, index: u64, row: &[u8]) -> bool {
        let entries = self.indexes.get(&index);
        entries.is_some_and(|entries| entries.filled.as_ref().is_none_or(|last| row <= &last[..]))
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut to = Writer::default();
        to.u8(VERSION);
        for number in [self.position, self.time.0, self.items, self.bytes] {
            to.u64(number);
        }
        to.u32(self.indexes.len());
        for (id, entries) in &self.indexes {
            to.u64(*id);
            to.u64(entries.count);
            to.u64(entries.bytes);
            to.u8(u8::from(entries.filled.is_some()));
            to.bytes(entries.filled.as_deref().unwrap_or_default());
        }
        to.0
    }

    /// The row that was encoded so.
    pub fn decode(bytes: Bytes) -> Option<Self> {
        let mut from = Reader(bytes);
        if from.u8()? != VERSION {
            return None;
        }
        let mut meta = Self {
            position: from.u64()?,
            time: Millis(from.u64()?),
            items: from.u64()?,
            bytes: from.u64()?,
            indexes: BTreeMap::new(),
        };
        for _ in 0..from.u32()? {
            let (id, count, bytes) = (from.u64()?, from.u64()?, from.u64()?);
            let (is_filling, last) = (from.u8()? == 1, from.bytes()?);
            let entries = Entries {
                filled: is_filling.then(|| last.to_vec()),
                count,
                bytes,
            };
            meta.indexes.insert(id, entries);
        }
        from.0.is_empty().then_some(meta)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_partition_comes_back() {
        let entries = |filled| Entries {
            filled,
            count: 5,
            bytes: 6,
        };
        let meta = Meta {
            position: 1,
            time: Millis(2),
            items: 3,
            bytes: 4,
            indexes: [(0, entries(None)), (7, entries(Some(b"row".to_vec())))].into(),
        };
        assert_eq!(Meta::decode(meta.encode().into()), Some(meta.clone()));
        assert!(meta.is_filled(0, b"z") && meta.is_filled(7, b"row"));
        assert!(!meta.is_filled(7, b"rox") && !meta.is_filled(1, b"a"));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_no_partition_or_one(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            Meta::decode(bytes.into());
        }
    }
}
