//! Every bound of this crate, by name. Numbers with no other source are those of AWS's model.

use std::time::Duration;

/// Tags that one queue may have.
pub const MAX_TAGS: usize = 50;

/// How often a change is made again because another node changed something first.
pub(crate) const CONFLICTS_MAX: usize = 20;

/// Records of one queue that were received and not acknowledged, dead letters included. The model names no bound;
/// this is how many records an SQS queue lets be in flight.
pub const UNACKNOWLEDGED: usize = 120_000;

/// How long a received record is in flight, where the queue does not say otherwise.
pub const DEFAULT_VISIBILITY: Duration = Duration::from_secs(30);

/// How often a record is received before it becomes a dead letter, where the queue does not say otherwise.
pub const DEFAULT_MAX_RECEIVES: u32 = 6;

/// Bytes of data in one answer, unless the first record is larger.
pub(crate) const RECEIVE_BYTES: usize = 10 * 1024 * 1024;

/// Receives that wait for records at one queue.
pub(crate) const WAITING: usize = 1000;

/// Calls that wait for a queue's worker; those beyond it wait for a place.
pub(crate) const CALLS: usize = 1024;

/// Calls that share one durable write.
pub(crate) const CALLS_A_WRITE: usize = 64;

/// The pause after the stream promised a record and had none, as while a shard is being split.
pub(crate) const FRUITLESS_PAUSE: Duration = Duration::from_millis(20);

/// Rows that are removed in one commit after a queue was deleted.
pub(crate) const ROWS_A_COMMIT: usize = 1000;
