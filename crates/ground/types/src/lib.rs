//! Names, numbers and times of the ingestion stack: parsed once, valid ever after.
//!
//! Owns the values that every floor speaks about: stream names, shard ids, hash keys, sequence numbers, ARNs and
//! times; counts of values ([`Tally`]); and the list of all that is kept ([`kept`]). Knows nothing of requests, storage or errors of a service; a value that exists here is valid.

mod arn;
mod digits;
mod hash_key;
pub mod kept;
mod names;
mod sequence;
mod tally;
mod time;

pub use arn::{Account, Arn, Region};
pub use hash_key::{HashKey, HashRange};
pub use names::{ShardIndex, StreamName};
pub use sequence::SequenceNumber;
pub use tally::{Tallied, Tally};
pub use time::Millis;

/// Why a text is not the value it was taken for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {text:?}")]
pub struct Invalid {
    /// The kind of value, as a reader would name it ("stream name").
    pub what: &'static str,
    /// The text that was given.
    pub text: String,
}

impl Invalid {
    /// `text` is not a valid `what`.
    pub fn new(what: &'static str, text: impl Into<String>) -> Self {
        Self {
            what,
            text: text.into(),
        }
    }
}
