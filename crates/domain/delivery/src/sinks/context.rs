//! The surroundings of sinks, and the ids that stay the same when an intent is carried out again.

use std::sync::Arc;

use headwater_env::Env;
use headwater_types::Arn;
use sha2::{Digest, Sha256};

use crate::{
    ports::Web,
    records::{ErrorKind, Failure, Item, Rejected},
};

/// The surroundings that sinks work with.
#[derive(Clone)]
pub struct SinkContext {
    pub env: Env,
    pub web: Arc<dyn Web>,
    /// The delivery stream.
    pub stream: Arn,
}

impl SinkContext {
    /// `item`, given up now after `attempts`.
    pub fn rejected(
        &self,
        item: &Item,
        kind: ErrorKind,
        failure: &Failure,
        attempts: u32,
    ) -> Rejected {
        Rejected {
            origin: item.origin.clone(),
            kind,
            failure: failure.clone(),
            attempts,
            ended: self.env.clock.now(),
            more: Vec::new(),
        }
    }
}

/// A chunk's id in the form of a GUID, which endpoints expect: of version 8, made of a digest.
pub fn guid(id: &str) -> String {
    let mut bytes: [u8; 32] = Sha256::digest(id).into();
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

/// The id that a record has wherever it is delivered: the number that the source gave it, and its place in an
/// aggregate. AWS's form (`dataId`, `EventId`, `esDocumentId`).
pub fn record_id(item: &Item) -> String {
    format!("{}.{}", item.origin.sequence_number, item.origin.sub)
}

#[cfg(test)]
pub mod tests {
    use bytes::Bytes;
    use headwater_types::Millis;

    use super::*;
    use crate::{
        records::UserRecord,
        sinks::Chunk,
        testing::{FakeWeb, JumpingClock, arn, number},
    };

    /// A sink's surroundings, in which `web` answers and no time is lost waiting.
    pub fn context(web: &Arc<FakeWeb>) -> SinkContext {
        let stream = arn("firehose", "deliverystream/d");
        SinkContext {
            env: JumpingClock::env(),
            web: web.clone(),
            stream,
        }
    }

    /// A chunk of records; they have [`id`]s from 0 on, and they arrived on 2026-11-21.
    pub fn chunk(records: &[&str]) -> Chunk {
        let item = |(i, data): (usize, &&str)| {
            let data = Bytes::copy_from_slice(data.as_bytes());
            let origin = UserRecord {
                shard: "shard".into(),
                sequence_number: number(0, i as u64),
                sub: 0,
                partition_key: "key".into(),
                data: data.clone(),
                arrival: Millis(1_795_219_200_000),
            };
            Item {
                origin: origin.into(),
                data,
                keys: Default::default(),
            }
        };
        Chunk {
            id: "the-id".into(),
            items: records.iter().enumerate().map(item).collect(),
        }
    }

    #[test]
    fn an_id_has_one_guid() {
        let made = guid("the-id");
        assert_eq!((made.len(), &made[14..15]), (36, "8"));
        assert!(made == guid("the-id") && made != guid("the-id-1"));
    }

    /// The id of a record of [`chunk`].
    pub fn id(i: u64) -> String {
        format!("{}.0", number(0, i))
    }

    /// The lines of what was rejected, as JSON.
    pub fn lines(rejected: &[Rejected]) -> Vec<serde_json::Value> {
        rejected
            .iter()
            .map(|rejected| serde_json::from_slice(&rejected.line()).unwrap())
            .collect()
    }
}
