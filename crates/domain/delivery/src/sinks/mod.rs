//! Destinations that are no bucket: what they have in common.
//!
//! They have no names that a repeated delivery could write to again, so they get every record at least once, with ids
//! that stay the same when an intent is carried out again. What they do not take goes into the bucket, as lines.
//! A warehouse is the exception: it reads what was put into the bucket ([`Loader`]).

mod address;
mod http_endpoint;
mod opensearch;
mod redshift;
mod retries;
mod splunk;

use std::sync::Arc;

use async_trait::async_trait;
use headwater_env::Env;
use headwater_types::Arn;
use sha2::{Digest, Sha256};

use crate::{
    config::{StreamRecord, Target},
    item::{ErrorKind, Failure, Item, Rejected},
    ports::{ObjectsError, Ports, Web},
};

pub use address::{AddressError, WebAddress};
pub use http_endpoint::HttpEndpoint;
pub use opensearch::{OpenSearch, Rotation};
#[cfg(feature = "fuzzing")]
pub(crate) use redshift::copy_rows;
pub use redshift::{Database, JdbcError, Redshift};
pub use retries::Retries;
pub use splunk::{HecEndpoint, Splunk};

/// A destination that takes records in chunks.
#[async_trait]
pub trait Sink: Send + Sync {
    /// How large a chunk may be.
    fn limit(&self) -> ChunkLimit;

    /// Delivers a chunk, trying again for as long as the destination's retry duration says; what it did not take in
    /// that time is given back. Dropped in the middle, it leaves nothing running.
    async fn deliver(&self, chunk: Chunk) -> Vec<Rejected>;
}

/// Records that are delivered together.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// The same whenever its intent is carried out, and no other chunk's: a request id.
    pub id: String,
    /// At least one.
    pub items: Vec<Item>,
}

/// How large a chunk may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkLimit {
    /// Bytes of data.
    pub bytes: usize,
    /// Records.
    pub records: usize,
}

/// A destination that reads objects once they are in the bucket.
#[async_trait]
pub trait Loader: Send + Sync {
    /// Has the destination read the objects, trying again for as long as its retry duration says. Why it did not, if
    /// it did not: they are listed in a manifest in the bucket then, and the delivery goes on. Called after the
    /// objects are durable and before the checkpoint moves; called again with the same load after a crash. Dropped in
    /// the middle, it leaves nothing running.
    ///
    /// # Errors
    /// When the bucket fails: then nothing is known, and it is to be called again.
    async fn load(&self, load: &Load) -> Result<Option<Failure>, ObjectsError>;
}

/// Objects that are loaded together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    /// The same whenever its intent is carried out, and no other load's of the stream.
    pub id: String,
    /// The bucket.
    pub bucket: String,
    /// What the keys start with before their part of the time, where that is fixed.
    pub prefix: String,
    /// At least one key.
    pub keys: Vec<String>,
}

/// The sink of a delivery stream whose records go to one.
pub fn sink(stream: &StreamRecord, env: &Env, ports: &Ports) -> Option<Arc<dyn Sink>> {
    let outside = Outside {
        env: env.clone(),
        web: ports.web.clone(),
        stream: stream.arn.clone(),
    };
    match stream.destination.target.clone() {
        Target::Bucket | Target::Redshift(_) => None,
        Target::Http(endpoint) => Some(Arc::new(http_endpoint::HttpSink { endpoint, outside })),
        Target::Splunk(splunk) => Some(Arc::new(splunk::SplunkSink { splunk, outside })),
        Target::OpenSearch(cluster) => {
            Some(Arc::new(opensearch::OpenSearchSink { cluster, outside }))
        }
    }
}

/// The loader of a delivery stream whose objects are loaded elsewhere.
pub fn loader(stream: &StreamRecord, env: &Env, ports: &Ports) -> Option<Arc<dyn Loader>> {
    match stream.destination.target.clone() {
        Target::Redshift(redshift) => Some(Arc::new(redshift::RedshiftLoader {
            redshift,
            role: stream.destination.role.clone(),
            encryption_key: stream.destination.encryption_key.clone(),
            stream: stream.arn.clone(),
            env: env.clone(),
            objects: ports.objects.clone(),
            warehouse: ports.warehouse.clone(),
        })),
        Target::Bucket | Target::Http(_) | Target::Splunk(_) | Target::OpenSearch(_) => None,
    }
}

/// What sinks work with.
#[derive(Clone)]
struct Outside {
    env: Env,
    web: Arc<dyn Web>,
    /// The delivery stream.
    stream: Arn,
}

impl Outside {
    /// `item`, given up now after `attempts`.
    fn rejected(&self, item: &Item, kind: ErrorKind, failure: &Failure, attempts: u32) -> Rejected {
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
fn guid(id: &str) -> String {
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
fn record_id(item: &Item) -> String {
    format!("{}.{}", item.origin.sequence_number, item.origin.sub)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use headwater_types::Millis;

    use super::*;
    use crate::{
        groups::UserRecord,
        testing::{FakeWeb, JumpingClock, arn, number},
    };

    /// A sink's surroundings, in which `web` answers and no time is lost waiting.
    pub fn outside(web: &Arc<FakeWeb>) -> Outside {
        let stream = arn("firehose", "deliverystream/d");
        Outside {
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
