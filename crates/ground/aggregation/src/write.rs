//! Putting user records together.

use std::{collections::HashMap, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use md5::{Digest, Md5};
use prost::{Message, encoding::encoded_len_varint};

use crate::{
    FRAME_BYTES, MAGIC,
    message::{AggregatedRecord, Record},
};

/// Collects user records until they fill one Kinesis record.
#[derive(Debug)]
pub struct Aggregator {
    bytes_max: usize,
    message_bytes: usize,
    keys: KeyTable,
    hash_keys: KeyTable,
    records: Vec<Record>,
}

/// A finished aggregated record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The first user record's partition key: what the whole may be put with.
    pub partition_key: String,
    /// The first user record's explicit hash key.
    pub explicit_hash_key: Option<String>,
    /// The bytes to put.
    pub data: Bytes,
    /// How many user records are in it; at least one.
    pub records: usize,
}

impl Aggregator {
    /// An empty one whose records will have at most `bytes_max` bytes each, the frame included.
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            message_bytes: 0,
            keys: KeyTable::default(),
            hash_keys: KeyTable::default(),
            records: Vec::new(),
        }
    }

    /// Adds a user record, or returns `false` and stays as it is when that would make it too large.
    #[must_use = "a record that does not fit has to go elsewhere"]
    pub fn add(
        &mut self,
        partition_key: &str,
        explicit_hash_key: Option<&str>,
        data: &[u8],
    ) -> bool {
        let (key, key_bytes) = self.keys.place(partition_key);
        let (hash_key, hash_key_bytes) = explicit_hash_key
            .map(|k| self.hash_keys.place(k))
            .map_or((None, 0), |(i, n)| (Some(i), n));
        let body = 1
            + encoded_len_varint(key)
            + hash_key.map_or(0, |index| 1 + encoded_len_varint(index))
            + field_bytes(data.len());
        let added = key_bytes + hash_key_bytes + field_bytes(body);
        if FRAME_BYTES + self.message_bytes + added > self.bytes_max {
            return false;
        }
        self.message_bytes += added;
        self.keys.keep(partition_key);
        if let Some(hash_key) = explicit_hash_key {
            self.hash_keys.keep(hash_key);
        }
        self.records.push(Record {
            partition_key_index: Some(key),
            explicit_hash_key_index: hash_key,
            data: Some(Bytes::copy_from_slice(data)),
            tags: Vec::new(),
        });
        true
    }

    /// How many user records wait in it.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether no user record waits in it.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The aggregated record of what was added since the last one; `None` if that is nothing.
    pub fn finish(&mut self) -> Option<Aggregate> {
        let taken = std::mem::replace(self, Self::new(self.bytes_max));
        let first = taken.records.first()?;
        let (partition_key, explicit_hash_key) = (
            taken.keys.texts.first()?.to_string(),
            first
                .explicit_hash_key_index
                .map(|_| taken.hash_keys.texts[0].to_string()),
        );
        let records = taken.records.len();
        let message = AggregatedRecord {
            partition_key_table: taken.keys.into_strings(),
            explicit_hash_key_table: taken.hash_keys.into_strings(),
            records: taken.records,
        };
        let data = framed(&message.encode_to_vec());
        debug_assert_eq!(
            data.len(),
            FRAME_BYTES + taken.message_bytes,
            "the size was reckoned exactly"
        );
        Some(Aggregate {
            partition_key,
            explicit_hash_key,
            data,
            records,
        })
    }
}

/// A field with a length: tag, length, content.
fn field_bytes(len: usize) -> usize {
    1 + encoded_len_varint(len as u64) + len
}

/// A message between magic and digest.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut record = BytesMut::with_capacity(FRAME_BYTES + message.len());
    record.put_slice(&MAGIC);
    record.put_slice(message);
    record.put_slice(&Md5::digest(message));
    record.freeze()
}

/// Keys, each once, in the order of their first use.
#[derive(Debug, Default)]
struct KeyTable {
    indices: HashMap<Arc<str>, u64>,
    texts: Vec<Arc<str>>,
}

impl KeyTable {
    /// The index that `text` has or would get, and the bytes that its entry would add.
    fn place(&self, text: &str) -> (u64, usize) {
        match self.indices.get(text) {
            Some(index) => (*index, 0),
            None => (self.texts.len() as u64, field_bytes(text.len())),
        }
    }

    fn keep(&mut self, text: &str) {
        if !self.indices.contains_key(text) {
            let text: Arc<str> = text.into();
            self.indices.insert(text.clone(), self.texts.len() as u64);
            self.texts.push(text);
        }
    }

    fn into_strings(self) -> Vec<String> {
        self.texts.iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_does_not_fit_changes_nothing() {
        let mut aggregator = Aggregator::new(60);
        assert!(aggregator.finish().is_none() && aggregator.is_empty());
        assert!(aggregator.add("k", Some("7"), b"0123456789"));
        assert!(!aggregator.add("other", Some("8"), &[0; 40]));
        assert_eq!(aggregator.len(), 1);
        assert!(aggregator.add("k", Some("7"), b"ab"));
        let aggregate = aggregator.finish().unwrap();
        assert_eq!(
            (aggregate.records, aggregate.partition_key.as_str()),
            (2, "k")
        );
        assert_eq!(aggregate.explicit_hash_key.as_deref(), Some("7"));
        assert!(aggregator.is_empty(), "it starts over");
    }
}
