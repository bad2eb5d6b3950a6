//! Every bound of this crate, by name. Numbers are AWS's: "Quotas and limits" of the Kinesis Data Streams guide.

use std::time::Duration;

use headwater_log::ReadLimit;

/// How often a change is made again because another node changed the stream first.
pub(crate) const CONFLICTS_MAX: usize = 20;

/// Open shards that all streams may have together, unless configured: AWS's quota in its large regions.
pub const DEFAULT_SHARD_QUOTA: u32 = 20_000;

/// Bytes of data and partition key in one record, unless the stream was made for larger ones.
pub const DEFAULT_MAX_RECORD_BYTES: u32 = 1024 * 1024;

/// Bytes of data and partition keys in one put of many records.
pub const MAX_PUT_BYTES: usize = 10 * 1024 * 1024;

/// The most that one read returns.
pub const MAX_READ: ReadLimit = ReadLimit {
    records: 10_000,
    bytes: 10 * 1024 * 1024,
};

/// The most that is read at one time to count again what arrived.
pub(crate) const RECOUNT: ReadLimit = ReadLimit {
    records: 10_000,
    bytes: 1024 * 1024,
};

/// The shortest retention.
pub const MIN_RETENTION_HOURS: u32 = 24;
/// The longest retention: 365 days.
pub const MAX_RETENTION_HOURS: u32 = 8760;

/// Tags that one stream may have.
pub const MAX_TAGS: usize = 50;

/// Shards to which a stream may be scaled as a whole.
pub const MAX_STREAM_SHARDS: u32 = 10_000;
/// How often a stream may be scaled as a whole within [`SCALINGS_PERIOD`].
pub const MAX_SCALINGS: usize = 10;
pub(crate) const SCALINGS_PERIOD: Duration = Duration::from_secs(24 * 3600);

/// How often a put is routed anew because shards were closed meanwhile.
pub(crate) const PUT_ROUTES: usize = 16;

/// How long an iterator, or a token for the next page, is good for.
pub const ITERATOR_LIFE: Duration = Duration::from_secs(300);

/// Stream numbers are below this: they have 24 bits of a shard's number in the log.
pub(crate) const STREAM_NUMBERS: u32 = 1 << 24;

/// Bytes a second that a shard takes.
pub(crate) const WRITE_BYTES: f64 = 1_048_576.0;
/// Records a second that a shard takes.
pub(crate) const WRITE_RECORDS: f64 = 1000.0;
/// Bytes a second that a shard gives.
pub(crate) const READ_BYTES: f64 = 2_097_152.0;
/// Reads a second that a shard answers.
pub(crate) const READ_CALLS: f64 = 5.0;

/// Consumers that one stream may have, queues among them, unless it is an on-demand one with a commitment.
pub const CONSUMERS: usize = 20;

/// How long a subscription lasts.
pub const SUBSCRIPTION_LIFE: Duration = Duration::from_secs(300);
/// For so long after one subscription no other takes its place.
pub(crate) const SUBSCRIPTION_HOLD: Duration = Duration::from_secs(5);
/// After so long without records a subscriber is told that there are none.
pub(crate) const SUBSCRIPTION_QUIET: Duration = Duration::from_secs(5);
/// For so long a subscription stays open behind the event that names its shard's children: Flink's connector 6 loses the
/// children where the answer ends at once (FLINK-39540).
pub(crate) const SUBSCRIPTION_LINGER: Duration = Duration::from_secs(5);
/// For so long an event says truly how far behind the newest record its reader is, also to another reader.
pub(crate) const SHARED_EVENT_AGE: Duration = Duration::from_millis(100);
/// Bytes a second that a subscription gives.
pub(crate) const SUBSCRIPTION_BYTES: f64 = 2_097_152.0;
/// The most that one event of a subscription holds, unless its only record is larger. It is all that is in memory
/// for a subscriber who does not read.
pub(crate) const MAX_EVENT: ReadLimit = ReadLimit {
    records: 10_000,
    bytes: 256 * 1024,
};

/// Shards that an on-demand stream begins with, and has at least.
pub const ON_DEMAND_SHARDS: u32 = 4;
/// For so many days a stream holds capacity for double of what it took.
pub(crate) const PEAK_DAYS: u64 = 30;
/// Over so long load is measured.
pub(crate) const MEASURED: Duration = Duration::from_secs(60);
/// How often a stream may change its mode within [`MODE_CHANGES_PERIOD`].
pub const MAX_MODE_CHANGES: usize = 2;
pub(crate) const MODE_CHANGES_PERIOD: Duration = Duration::from_secs(24 * 3600);
/// How often encryption may be started, and how often stopped, within [`ENCRYPTION_CHANGES_PERIOD`].
pub const MAX_ENCRYPTION_CHANGES: usize = 25;
pub(crate) const ENCRYPTION_CHANGES_PERIOD: Duration = Duration::from_secs(24 * 3600);
/// On-demand streams there may be.
pub const MAX_ON_DEMAND_STREAMS: u32 = 50;
