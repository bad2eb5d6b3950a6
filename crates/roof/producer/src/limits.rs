//! The producer's own bounds, and AWS's limits that it keeps to.

use std::time::Duration;

/// Records in one PutRecords call (Kinesis API reference).
pub const CALL_RECORDS_MAX: usize = 500;

/// Bytes of data and partition keys in one PutRecords call: the least that any Kinesis endpoint takes, 5 MiB,
/// less a little for what an endpoint may count besides.
pub const CALL_BYTES_MAX: usize = (5 << 20) - (64 << 10);

/// Characters of a partition key (Kinesis API reference).
pub const PARTITION_KEY_CHARS_MAX: usize = 256;

/// Bytes of data and partition key of one record: what a stream may be set to take at most, 10 MiB. A record
/// over its stream's own limit is refused by the stream.
pub const RECORD_BYTES_MAX: usize = 10 << 20;

/// Bytes of an aggregated record, as KPL's default: small enough that a shard's bandwidth is not taken in one
/// piece.
pub const AGGREGATE_BYTES_MAX: usize = 50 << 10;

/// User records taken into one call where they are aggregated.
pub const AGGREGATED_RECORDS_MAX: usize = 20_000;

/// Lanes, and so calls in flight, at most.
pub const LANES_MAX: usize = 64;

/// Records that wait in one lane.
pub const LANE_RECORDS_MAX: usize = 20_000;

/// Bytes that a waiting record counts besides its own, so that small ones are bounded too.
pub const RECORD_OVERHEAD_BYTES: usize = 128;

/// How long a record waits for company before a call is made.
pub const LINGER: Duration = Duration::from_millis(20);

/// How long a call whose connection broke may still be at work on a server that lives.
pub const SETTLE: Duration = Duration::from_secs(1);

/// How many times longer it may be where no answer came in time: such a server is slow.
pub const SETTLE_FACTOR_AFTER_TIMEOUT: u32 = 10;

/// The first pause between tries; it doubles up to [`PAUSE_MAX`], and a random part of it is waited.
pub const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest pause after a call that stored some of its records.
pub const PAUSE_AFTER_PROGRESS: Duration = Duration::from_millis(250);

/// The longest pause between tries.
pub const PAUSE_MAX: Duration = Duration::from_secs(2);

/// How old the list of shards may get.
pub const SHARDS_AGE_MAX: Duration = Duration::from_secs(10);
