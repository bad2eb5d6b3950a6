//! The bounds of topics.

use std::time::Duration;

/// The most topics of a region. AWS's quota is 100,000 standard topics an account; each has a shard of the log here.
pub const TOPICS_MAX: usize = 10_000;
/// The most subscriptions of a region; each has a task.
pub const SUBSCRIPTIONS_MAX: usize = 10_000;
/// The most tags of a topic.
pub const TAGS_MAX: usize = 50;
/// The most bytes of a message with its attributes, and of those of a batch together (AWS's quota).
pub const MESSAGE_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of a filter (AWS's quota).
pub(crate) const FILTER_BYTES_MAX: usize = 256 * 1024;
/// The most bytes of a topic's policy (AWS's quota).
pub const POLICY_BYTES_MAX: usize = 30 * 1024;
/// The most messages of a batch.
pub const BATCH_MAX: usize = 10;
/// How long a message waits at the most for a subscription that does not take it (AWS: 23 days of tries).
pub(crate) const KEPT_FOR: Duration = Duration::from_secs(24 * 24 * 3600);
/// The messages of one subscription that are under way or wait for their next try.
pub(crate) const IN_FLIGHT_MAX: usize = 64;
/// The memory that messages of all subscriptions are in, in KiB, while they are sent.
pub(crate) const ROOM_KIB: u32 = 96 * 1024;
/// How many times its size in the log a message takes: as it is read, taken apart, and written for its subscriber.
pub(crate) const COPIES: usize = 3;
/// The most bytes that a subscription reads at once, unless the first message is larger.
pub(crate) const READ_BYTES: usize = 512 * 1024;
/// The first wait before something that failed here is tried again; each doubles the one before.
pub(crate) const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);
/// How long finished messages wait for the write that notes them.
pub(crate) const CHECKPOINT_AFTER: Duration = Duration::from_millis(50);
/// The most rows of one such write.
pub(crate) const ROWS_A_COMMIT: usize = 500;
/// How often messages that every subscription has are let go of, and what has expired is removed.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(60);
/// How long a request may take (AWS's guide: 15 seconds).
pub(crate) const REQUEST_TIME: Duration = Duration::from_secs(15);
/// How long a token confirms something, and a subscription waits to be confirmed (AWS's guide: two days).
pub(crate) const TOKEN_GOOD_FOR: Duration = Duration::from_secs(48 * 3600);
/// The most tokens that are good at a time, and with them of requests to confirm.
pub(crate) const TOKENS_MAX: usize = 10_000;
/// Requests to confirm that are under way at a time.
pub(crate) const NOTICES_AT_ONCE: usize = 64;
/// Signatures that are kept for other subscriptions of the same topic.
pub(crate) const SIGNATURES_KEPT: usize = 1024;
/// The most attributes of a message that a queue takes.
pub(crate) const QUEUE_ATTRIBUTES_MAX: usize = 10;
