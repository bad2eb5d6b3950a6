//! The durable shard log: journal, segments, index, recovery, retention.
//!
//! A log is a set of shards; a shard is a sequence of records with dense offsets from 0. The log knows nothing of
//! streams, partition keys or services: a key and a value are bytes. [`ShardLog`] is what every engine offers;
//! [`EmbeddedLog`] keeps its bytes as `docs/format/log.md` says.

// The trait and its data, and the port through which domains read streams.
mod api;
mod source;

// The options and the bounds.
pub mod limits;
mod options;

// Bytes on the disk, and the files that hold them.
mod block;
mod block_ref;
mod files;
mod footer;
mod format;
mod index;
mod scan;

// The way of an append: queued, committed with all that wait, published to the shards, kept in the tail.
mod buffers;
mod committer;
mod core;
mod direct;
mod embedded;
mod journal;
mod queue;
mod scoped;
mod shard;
mod tail;
mod usage;

// Full files: given footers, and read through these.
mod cache;
mod seal;
mod sealer;
mod segment;
mod segments;

// The ways of a read, of opening, and of reclaiming.
mod expired;
mod read;
mod recovery;
mod retention;
mod rewrite;

// Looking at a log from outside.
mod dump;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verify;

pub use api::{
    Append, AppendError, Appended, Chunk, LogError, LogUsage, NewRecord, ReadLimit, Record,
    Retention, ShardLog, ShardNumber, ShardState, Taken,
};
pub use dump::{Filter, Line, dump};
pub use embedded::EmbeddedLog;
pub use options::Options;
pub use retention::Maintained;
pub use scoped::{PARTS_MAX, ScopedLog};
pub use source::{
    Source, SourceChunk, SourceError, SourceLimit, SourceRecord, SourceShard, Sources,
};
pub use verify::{Report, verify};
