//! KPL's aggregated record format, written and read.
//!
//! Many user records in one Kinesis record: the magic `F3 89 9A C2`, a protobuf message, and the MD5 of that
//! message (the format is published with the Kinesis Producer Library as "KPL aggregated record format").
//! Owns the bytes of that format alone; which records belong together, and into which shard, is the
//! producer's to say.

mod message;
mod read;
mod write;

pub use read::{UserRecord, split};
pub use write::{Aggregate, Aggregator};

/// The first bytes of an aggregated record.
const MAGIC: [u8; 4] = [0xf3, 0x89, 0x9a, 0xc2];

/// The length of the MD5 at its end, in bytes.
const DIGEST_BYTES: usize = 16;

/// Bytes that the format adds around its message.
const FRAME_BYTES: usize = MAGIC.len() + DIGEST_BYTES;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    type Plain = (String, Option<String>, Vec<u8>);

    fn records() -> impl Strategy<Value = Vec<Plain>> {
        let key = prop_oneof![Just("same".to_owned()), "\\PC{1,20}"];
        let hash_key = prop::option::of(prop_oneof![Just("0".to_owned()), "[1-9][0-9]{0,30}"]);
        prop::collection::vec(
            (key, hash_key, prop::collection::vec(any::<u8>(), 0..300)),
            1..60,
        )
    }

    fn written(records: &[Plain], bytes_max: usize) -> Vec<Aggregate> {
        let mut aggregator = Aggregator::new(bytes_max);
        let mut done = Vec::new();
        for (key, hash_key, data) in records {
            if !aggregator.add(key, hash_key.as_deref(), data) {
                done.extend(aggregator.finish());
                assert!(
                    aggregator.add(key, hash_key.as_deref(), data),
                    "an empty one takes any of these"
                );
            }
        }
        done.extend(aggregator.finish());
        done
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_and_keeps_its_bound(records in records(), bytes_max in 400usize..4000) {
            let aggregates = written(&records, bytes_max);
            let back: Vec<UserRecord> = aggregates.iter().flat_map(|a| split(&a.data).unwrap()).collect();
            prop_assert!(aggregates.iter().all(|a| a.data.len() <= bytes_max));
            prop_assert_eq!(aggregates.iter().map(|a| a.records).sum::<usize>(), records.len());
            let back: Vec<Plain> = back
                .iter()
                .map(|r| {
                    (r.partition_key.to_string(), r.explicit_hash_key.as_deref().map(String::from), r.data.to_vec())
                })
                .collect();
            prop_assert_eq!(back, records);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(split(&Bytes::from(bytes)), None);
        }

        #[test]
        fn any_message_is_survived(message in prop::collection::vec(any::<u8>(), 0..400)) {
            // With a right digest, so that the message itself is decoded; what it holds does not matter.
            let _ = split(&write::framed(&message));
        }

        #[test]
        fn a_changed_byte_is_noticed(records in records(), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut bytes = written(&records, 1 << 20).remove(0).data.to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1u8 << bit;
            prop_assert_eq!(split(&Bytes::from(bytes)), None);
        }
    }
}
