//! Destinations that are no bucket: what they have in common.
//!
//! They have no names that a repeated delivery could write to again, so they get every record at least once, with ids
//! that stay the same when an intent is carried out again. What they do not take goes into the bucket, as lines.

use async_trait::async_trait;

use crate::item::{Item, Rejected};

/// A destination that takes records in chunks.
#[async_trait]
pub trait Sink: Send + Sync {
    /// How large a chunk may be.
    fn limit(&self) -> ChunkLimit;

    /// Delivers a chunk, trying again for as long as the destination's retry duration says; what it did not take in
use headwater_env::Env;
use headwater_types::Arn;

use crate::{
    config::{StreamRecord, Target},
    item::{ErrorKind, Failure, Item, Rejected},
    ports::{ObjectsError, Ports},
};
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
