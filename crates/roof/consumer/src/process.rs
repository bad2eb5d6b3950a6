//! The traits that a user of the library implements: the processing of one shard's records.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::Millis;

use crate::{
    checkpoint::{Checkpoint, Place},
    held_lease::Checkpointer,
};

/// A user record: what a producer's user put, taken out of an aggregated record where it was in one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands in its shard.
    pub place: Place,
    /// When it arrived, where the endpoint says so.
    pub arrival: Option<Millis>,
    /// The key that it was put with.
    pub partition_key: Arc<str>,
    /// The hash key that it was put with, where that is known: in aggregated records alone.
    pub explicit_hash_key: Option<Arc<str>>,
    /// The payload.
    pub data: Bytes,
    /// Whether it came in an aggregated record.
    pub aggregated: bool,
}

/// Why records were not processed.
pub type ProcessError = Box<dyn Error + Send + Sync>;

/// Processes the records of one shard, in order.
///
/// A record may come again when a lease moves: the next holder is given all that was not checkpointed. An error gives
/// the lease back, and the records since the checkpoint come again, here or elsewhere.
#[async_trait]
pub trait Process: Send {
    /// Processes some records; the next ones come when this has returned.
    async fn records(
        &mut self,
        records: Vec<Record>,
        checkpointer: &Checkpointer,
    ) -> Result<(), ProcessError>;

    /// The shard is closed and all of its records were given. With `Ok` it counts as processed to its end, and its
    /// children may begin. It may be told again when that could not be kept.
    async fn ended(&mut self, _checkpointer: &Checkpointer) -> Result<(), ProcessError> {
        Ok(())
    }

    /// The consumer shuts down: a last chance to checkpoint.
    async fn stopped(&mut self, _checkpointer: &Checkpointer) -> Result<(), ProcessError> {
        Ok(())
    }

    /// The lease went to another consumer: nothing can be checkpointed any more.
    async fn lost(&mut self) {}
}

/// Makes the processing of a shard when its lease is taken.
pub trait Processors: Send + Sync {
    /// For this shard, from that checkpoint on.
    fn open(&self, shard_id: &str, from: &Checkpoint) -> Box<dyn Process>;
}

impl<F: Fn(&str, &Checkpoint) -> Box<dyn Process> + Send + Sync> Processors for F {
    fn open(&self, shard_id: &str, from: &Checkpoint) -> Box<dyn Process> {
        self(shard_id, from)
    }
}
