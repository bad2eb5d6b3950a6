//! The two kinds of destinations beside the bucket: they take records in chunks, or load objects.

use async_trait::async_trait;

use crate::{
    ports::ObjectsError,
    records::{Failure, Item, Rejected},
};

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
    /// The beginning of the keys before their part of the time, where that is fixed.
    pub prefix: String,
    /// At least one key.
    pub keys: Vec<String>,
}
