//! Why a stream does not do what it was asked.

use headwater_catalog::CatalogError;
use headwater_log::LogError;
use headwater_sealing::TokenError;
use headwater_types::{HashKey, HashRange, ShardIndex, StreamName};

/// Why a call failed as a whole.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// No such stream.
    #[error("there is no stream {0}")]
    NoStream(StreamName),
    /// The stream has no such shard, or the shard's stream is gone.
    #[error("stream {stream} has no shard {shard}")]
    NoShard {
        /// The stream.
        stream: StreamName,
        /// The shard that it was asked for.
        shard: ShardIndex,
    },
    /// The name is taken.
    #[error("there is a stream {0} already")]
    StreamExists(StreamName),
    /// More open shards than configured.
    #[error("{asked} more shards beside the {open} there are would exceed the quota of {quota}")]
    ShardQuota {
        /// Open shards there are.
        open: u32,
        /// The limit.
        quota: u32,
        /// Shards that the call would have added.
        asked: u32,
    },
    /// Every stream number was given away.
    #[error("16,777,216 streams were made in this data directory, which is all it can number")]
    NumbersExhausted,
    /// Another change of the same stream came first.
    #[error("stream {0} is being changed by another call")]
    Conflict(StreamName),
    /// The stream would have more than [`crate::MAX_TAGS`] tags.
    #[error("stream {0} would have too many tags")]
    TooManyTags(StreamName),
    /// Less than [`crate::MIN_RETENTION_HOURS`].
    #[error("a retention of {0} hours is too short")]
    RetentionTooShort(i64),
    /// More than [`crate::MAX_RETENTION_HOURS`].
    #[error("a retention of {0} hours is too long")]
    RetentionTooLong(i64),
    /// An increase that would not increase.
    #[error("stream {stream} has a retention of {hours} hours, which {asked} does not increase")]
    NoIncrease {
        /// The stream.
        stream: StreamName,
        /// The present one.
        hours: u32,
        /// The one that was asked for.
        asked: u32,
    },
    /// A decrease that would not decrease.
    #[error("stream {stream} has a retention of {hours} hours, which {asked} does not decrease")]
    NoDecrease {
        /// The stream.
        stream: StreamName,
        /// The present one.
        hours: u32,
        /// The one that was asked for.
        asked: u32,
    },
    /// A shard that was closed cannot be closed again.
    #[error("shard {shard} of stream {stream} was split or merged already")]
    ShardClosed {
        /// The stream.
        stream: StreamName,
        /// The shard.
        shard: ShardIndex,
    },
    /// A split that would leave one side too small.
    #[error("shard {shard} of stream {stream} owns {}..={} and cannot be split at {at}", range.start, range.end)]
    NoSplit {
        /// The stream.
        stream: StreamName,
        /// The shard.
        shard: ShardIndex,
        /// Its hash keys.
        range: HashRange,
        /// Where its second half was to begin.
        at: HashKey,
    },
    /// Shards that do not follow each other on the ring, or are closed.
    #[error("shards {shard} and {adjacent} of stream {stream} cannot be merged")]
    NotAdjacent {
        /// The stream.
        stream: StreamName,
        /// The first.
        shard: ShardIndex,
        /// The one that was to follow it.
        adjacent: ShardIndex,
    },
    /// More than double or less than half of the shards, or more than a stream may have.
    #[error("a stream of {open} open shards cannot be scaled to {target}")]
    ScaledTooFar {
        /// Open shards there are.
        open: u32,
        /// The one that was asked for.
        target: u32,
    },
    /// More shards than one stream, or all together, may have.
    #[error(
        "a stream of {open} open shards cannot be scaled to {target}, which is over the quota of {quota}"
    )]
    ScaledOverQuota {
        /// Open shards there are.
        open: u32,
        /// The one that was asked for.
        target: u32,
        /// The most there may be.
        quota: u32,
    },
    /// Scaled [`crate::MAX_SCALINGS`] times within a day.
    #[error("stream {0} was scaled too often within 24 hours")]
    ScaledTooOften(StreamName),
    /// The capacity of the stream follows its load, not its owner.
    #[error("stream {0} is in on-demand mode")]
    OnDemand(StreamName),
    /// The change is for streams whose capacity follows their load.
    #[error("stream {0} is not in on-demand mode")]
    NotOnDemand(StreamName),
    /// Its mode was changed [`crate::MAX_MODE_CHANGES`] times within a day.
    #[error("stream {0} changed its mode too often within 24 hours")]
    ModeChangedTooOften(StreamName),
    /// Records are only distributed automatically where capacity follows the load.
    #[error(
        "stream {0} cannot both have a fixed number of shards and distribute records by itself"
    )]
    AutoNeedsOnDemand(StreamName),
    /// Its encryption was started, or stopped, [`crate::MAX_ENCRYPTION_CHANGES`] times within a day.
    #[error("stream {0} changed its encryption too often within 24 hours")]
    EncryptionChangedTooOften(StreamName),
    /// There are so many on-demand streams already.
    #[error("there are {0} on-demand streams, which is all there may be")]
    TooManyOnDemand(u32),
    /// The stream has no consumer of that name, or the one that is meant is gone.
    #[error("stream {stream} has no consumer {consumer}")]
    NoConsumer {
        /// The stream.
        stream: StreamName,
        /// The consumer's name.
        consumer: String,
    },
    /// The consumer's name is taken.
    #[error("stream {stream} has a consumer {consumer} already")]
    ConsumerExists {
        /// The stream.
        stream: StreamName,
        /// The consumer's name.
        consumer: String,
    },
    /// The stream has as many consumers as it may have.
    #[error("stream {0} cannot have more consumers")]
    TooManyConsumers(StreamName),
    /// A stream with consumers is only removed together with them when that is said.
    #[error("stream {0} has consumers")]
    HasConsumers(StreamName),
    /// A stream that others read beside its consumers is not removed, and stays in on-demand mode.
    #[error("stream {0} has readers beside its consumers")]
    HasOtherReaders(StreamName),
    /// The consumer is subscribed to the shard already, since a moment ago, or another call took its place.
    #[error("consumer {consumer} of stream {stream} has another subscription to shard {shard}")]
    Subscribed {
        /// The stream.
        stream: StreamName,
        /// The consumer's name.
        consumer: String,
        /// The shard.
        shard: ShardIndex,
    },
    /// A record is larger than its stream allows.
    #[error("a record of {bytes} bytes with its key is over the stream's limit of {limit}")]
    RecordTooLarge {
        /// Its place in the call, from 0.
        index: usize,
        /// Data and key.
        bytes: usize,
        /// The stream's limit.
        limit: u32,
    },
    /// The records of one call are too large together.
    #[error("records of {0} bytes in one call are over the limit of {MAX} MiB", MAX = crate::MAX_PUT_BYTES >> 20)]
    PutTooLarge(usize),
    /// A shard's read limits.
    #[error("shard {shard} of stream {stream} is read faster than its limits")]
    Throttled {
        /// The stream.
        stream: StreamName,
        /// The shard.
        shard: ShardIndex,
    },
    /// An encrypted record cannot be read.
    #[error(
        "the record at offset {offset} of shard {shard} of stream {stream} cannot be decrypted: it is damaged, or the \
         catalog is not the one it was written with. Restore the catalog that belongs to this log"
    )]
    Undecryptable {
        /// The stream.
        stream: StreamName,
        /// The shard.
        shard: ShardIndex,
        /// The record's offset.
        offset: u64,
    },
    /// A text that is not the token that it should be.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Why one record of a put was not taken; the others stand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The shard's write limits.
    #[error("shard {0} is written faster than its limits")]
    Throttled(ShardIndex),
    /// The shard went away while the put was under way.
    #[error("shard {0} takes no records")]
    Closed(ShardIndex),
    /// The log refused.
    #[error(transparent)]
    Log(#[from] LogError),
}
