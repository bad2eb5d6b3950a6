//! What tables want of others: streams of records that their changes are put into.

use async_trait::async_trait;
use headwater_log::ShardNumber;
use serde::{Deserialize, Serialize};

use crate::{Event, Precision};

/// The streams of records there are.
#[async_trait]
pub trait Receivers: Send + Sync {
    /// Whether changes can be put into the stream with this ARN.
    ///
    /// # Errors
    /// Why they cannot.
    fn check(&self, stream: &str) -> Result<(), Unfit>;

    /// Puts changes into a stream, in order: the first of them, as many as it takes now, and with them the record of the
    /// log that says how many, with one append that MUST be whole ([`headwater_log::ShardLog::append_whole`]). How many;
    /// where there are none, nothing was written.
    ///
    /// # Errors
    /// [`NotPut`]: nothing was put, or after [`NotPut::Failed`] it is not known.
    async fn put(&self, outgoing: Outgoing<'_>) -> Result<usize, NotPut>;
}

/// Why changes cannot be put into a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unfit {
    /// There is none.
    Missing,
    /// It is of another region.
    OtherRegion,
    /// It is of another account, or no stream.
    Foreign,
}

/// Changes on their way into a stream.
#[derive(Clone, Copy)]
pub struct Outgoing<'a> {
    /// The stream's ARN.
    pub stream: &'a str,
    /// The name of the table.
    pub table: &'a str,
    /// How exact their times are to be told.
    pub precision: Option<Precision>,
    /// The changes, at least one.
    pub changes: &'a [OutgoingChange],
    /// The shard of the log that says how many were put.
    pub progress_shard: ShardNumber,
    /// The record that says so.
    pub progress: &'a (dyn Fn(usize) -> Vec<u8> + Send + Sync),
}

/// A change on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct OutgoingChange {
    /// What changes of one item have in common, and hardly those of others.
    pub item: u128,
    /// Microseconds since 1970 at which it was made: more than those of the change before.
    pub micros: u64,
    /// What it was.
    pub event: Event,
}

/// Why changes were not put into a stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPut {
    /// There is no such stream.
    #[error("there is no such stream")]
    Missing,
    /// Something failed below.
    #[error("{0}")]
    Failed(String),
}
