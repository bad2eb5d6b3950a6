//! Taking aggregated records apart.

use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};
use prost::Message;

use crate::{
    DIGEST_BYTES, FRAME_BYTES, MAGIC,
    message::{AggregatedRecord, Record},
};

/// One record as a user gave it to the producer. Keys are shared between the records that have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// The key that it was put with.
    pub partition_key: Arc<str>,
    /// The hash key that it was put with, if any.
    pub explicit_hash_key: Option<Arc<str>>,
    /// The payload: a slice of the aggregated record, not a copy.
    pub data: Bytes,
}

/// The user records of an aggregated record, in order; their place in the list is their sub-sequence number.
///
/// `None` when this is not one: without the magic, with a digest that does not match, or with a message that
/// cannot be decoded. Such a record is to be passed on as it is, as KCL does.
pub fn split(record: &Bytes) -> Option<Vec<UserRecord>> {
    if !record.starts_with(&MAGIC) || record.len() <= FRAME_BYTES {
        return None;
    }
    let message = record.slice(MAGIC.len()..record.len() - DIGEST_BYTES);
    if Md5::digest(&message)[..] != record[record.len() - DIGEST_BYTES..] {
        return None;
    }
    let message = AggregatedRecord::decode(message).ok()?;
    let keys = shared(message.partition_key_table);
    let hash_keys = shared(message.explicit_hash_key_table);
    message
        .records
        .into_iter()
        .map(|record| user_record(record, &keys, &hash_keys))
        .collect()
}

fn shared(table: Vec<String>) -> Vec<Arc<str>> {
    table.into_iter().map(Arc::from).collect()
}

fn user_record(record: Record, keys: &[Arc<str>], hash_keys: &[Arc<str>]) -> Option<UserRecord> {
    let entry = |table: &[Arc<str>], index: u64| table.get(usize::try_from(index).ok()?).cloned();
    if record.tags.iter().any(|tag| tag.key.is_none()) {
        return None;
    }
    Some(UserRecord {
        partition_key: entry(keys, record.partition_key_index?)?,
        explicit_hash_key: match record.explicit_hash_key_index {
            Some(index) => Some(entry(hash_keys, index)?),
            None => None,
        },
        data: record.data?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write::framed;

    fn message(record: Record) -> Bytes {
        let message = AggregatedRecord {
            partition_key_table: vec!["a".into()],
            explicit_hash_key_table: vec![],
            records: vec![record],
        };
        framed(&message.encode_to_vec())
    }

    fn whole() -> Record {
        Record {
            partition_key_index: Some(0),
            data: Some(Bytes::from_static(b"x")),
            ..Default::default()
        }
    }

    #[test]
    fn a_message_that_lacks_what_is_required_is_not_taken_apart() {
        assert_eq!(split(&message(whole())).map(|r| r.len()), Some(1));
        assert_eq!(
            split(&message(Record {
                partition_key_index: None,
                ..whole()
            })),
            None
        );
        assert_eq!(
            split(&message(Record {
                data: None,
                ..whole()
            })),
            None
        );
    }

    #[test]
    fn an_index_beyond_its_table_is_refused() {
        assert_eq!(
            split(&message(Record {
                partition_key_index: Some(1),
                ..whole()
            })),
            None
        );
        assert_eq!(
            split(&message(Record {
                partition_key_index: Some(u64::MAX),
                ..whole()
            })),
            None
        );
        assert_eq!(
            split(&message(Record {
                explicit_hash_key_index: Some(0),
                ..whole()
            })),
            None
        );
    }

    /// Written by hand from the format's description: one record "hello" under the key "k".
    #[test]
    fn the_bytes_are_those_of_the_format() {
        let message = [&b"\x0a\x01k\x1a\x09\x08\x00\x1a\x05hello"[..]].concat();
        let record = Bytes::from([&MAGIC[..], &message, &Md5::digest(&message)[..]].concat());
        let records = split(&record).unwrap();
        assert_eq!(
            (&*records[0].partition_key, &records[0].data[..]),
            ("k", &b"hello"[..])
        );
        let mut aggregator = crate::Aggregator::new(100);
        assert!(aggregator.add("k", None, b"hello"));
        assert_eq!(aggregator.finish().unwrap().data, record);
    }

    #[test]
    fn the_shortest_texts_are_not_taken_apart() {
        let whole = framed(b"");
        for len in 0..=whole.len() {
            assert_eq!(split(&whole.slice(..len)), None);
        }
    }

    #[test]
    fn payloads_are_slices_of_the_record() {
        let record = message(whole());
        let data = &split(&record).unwrap()[0].data;
        assert!(record.as_ptr_range().contains(&data.as_ptr()));
    }
}
