//! The durable shard log: journal, segments, index, recovery, retention.
//!
//! A log is a set of shards; a shard is a sequence of records with dense offsets from 0. The log knows nothing of
//! streams, partition keys or services: a key and a value are bytes. [`ShardLog`] is what every engine offers;
//! [`EmbeddedLog`] keeps its bytes as `docs/format/log.md` says.

mod api;
mod block;
mod buffers;
mod cache;
mod committer;
mod core;
mod direct;
mod dump;
mod embedded;
mod files;
mod format;
mod index;
mod journal;
pub mod limits;
mod queue;
mod read;
mod recovery;
mod retention;
mod rewrite;
mod scan;
mod seal;
mod segment;
mod shard;
mod source;
mod tail;
mod verify;

pub use api::{
    Append, AppendError, Appended, Chunk, LogError, NewRecord, ReadLimit, Record, Retention,
    ShardLog, ShardNumber, ShardState,
};
pub use dump::{Filter, Line, dump};
pub use embedded::{EmbeddedLog, Options};
pub use retention::Maintained;
pub use source::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
pub use verify::{Report, verify};
