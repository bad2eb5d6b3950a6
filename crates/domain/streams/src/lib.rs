//! Streams and shards: routing, limits, positions, retention.
//!
//! A stream is a ring of hash keys shared out to shards; a shard is one shard of the log. This crate knows which
//! streams there are (their records live in the catalog), which shard takes a record, how much a shard lets through,
//! where a reader stands and what it may still read. It leaves durability and order to the log, and AWS's spelling,
//! texts and paging parameters to the door.

// The data: as the catalog keeps it, and as it is in memory.
mod commitment;
mod consumer;
mod errors;
mod limits;
mod load;
mod record;
mod routes;
mod stream;

// A shard's memory: counters, limits, leases; and that of a stream's calls and of a consumer.
mod calls;
mod counters;
mod following;
mod subscriptions;
mod throttle;

// All streams, and every change of them.
mod account;
mod changes;
mod consumers;
mod distribution;
mod encryption;
mod metrics;
mod on_demand;
mod plan;
mod policies;
mod readers;
mod reshard;
mod streams;

// The ways in and out.
mod arrivals;
mod fan_out;
mod listing;
mod put;
mod put_beside;
mod read;
mod source;
mod subscribe;

pub use arrivals::Arrived;
pub use calls::{CallTimes, PutCalls, StreamCalls};
pub use commitment::Commitment;
pub use consumer::Consumer;
pub use counters::{ShardCalls, ShardMetrics};
pub use errors::{Error, PutError};
pub use fan_out::{FanOut, ShardEvent};
pub use following::{ConsumerCalls, ConsumerMetrics};
pub use limits::{
    CONSUMERS, DEFAULT_MAX_RECORD_BYTES, DEFAULT_SHARD_QUOTA, ITERATOR_LIFE,
    MAX_ENCRYPTION_CHANGES, MAX_MODE_CHANGES, MAX_ON_DEMAND_STREAMS, MAX_PUT_BYTES, MAX_READ,
    MAX_RETENTION_HOURS, MAX_SCALINGS, MAX_STREAM_SHARDS, MAX_TAGS, MIN_RETENTION_HOURS,
    ON_DEMAND_SHARDS,
};
pub use listing::{ConsumerPage, ShardFilter, ShardPage, StreamPage};
pub use load::{Load, Mode, Peak};
pub use put::{Placed, PutEntry};
pub use put_beside::Beside;
pub use read::{ReadChunk, ReadRecord, ReadResult, ShardIterator, Start};
pub use readers::{NoOtherReaders, OtherReaders};
pub use record::{
    ConsumerRecord, Distribution, ShardMetric, ShardRecord, Step, StreamRecord, Tags,
};
pub use source::StreamSources;
pub use stream::{Shard, Stream};
pub use streams::{NewStream, Options, Streams};
pub use subscribe::Subscription;

// The tokens of readers, for doors whose clients hold such of other domains.
pub use headwater_sealing::{TokenError, TokenKind};
