//! Bounds on everything that waits or grows.

use std::time::Duration;

/// Events in one put (AWS: 10,000).
pub const PUT_EVENTS_MAX: usize = 10_000;
/// Bytes in one put, each event counted with [`EVENT_OVERHEAD_BYTES`] (AWS: 1,048,576).
pub const PUT_BYTES_MAX: usize = 1_048_576;
/// Bytes that AWS adds to each event when it counts.
pub const EVENT_OVERHEAD_BYTES: usize = 26;
/// The time between the first and the last event of one put (AWS: 24 hours).
pub const PUT_SPAN_MAX: Duration = Duration::from_secs(24 * 3600);
/// How far in the future an event may lie (AWS: 2 hours).
pub const EVENT_AHEAD_MAX: Duration = Duration::from_secs(2 * 3600);
/// How far in the past an event may lie (AWS: 14 days).
pub const EVENT_AGE_MAX: Duration = Duration::from_secs(14 * 24 * 3600);
/// Events in one answer (AWS: 10,000).
pub const PAGE_EVENTS_MAX: usize = 10_000;
/// Bytes of messages in one answer (AWS: 1 MB).
pub const PAGE_BYTES_MAX: usize = 1_048_576;
/// Records looked at for one answer; a search that goes on longer answers with a token.
pub const SCAN_RECORDS_MAX: usize = 100_000;
/// Records read from the log at once.
pub const READ_RECORDS: usize = 2_000;
/// Bytes read from the log at once.
pub const READ_BYTES: usize = 1_048_576;
/// Characters of a filter pattern (AWS: 1,024).
pub const PATTERN_CHARS_MAX: usize = 1024;
/// Regular expressions of one filter pattern (AWS: 2).
pub const PATTERN_REGEXES_MAX: usize = 2;
/// Bytes that a regular expression of a pattern may take when it is compiled: a message is gone through once for each of its
/// states at worst.
pub const REGEX_BYTES_MAX: usize = 32 << 10;
/// Parentheses within each other in a pattern.
pub const PATTERN_DEPTH_MAX: usize = 32;
/// How long streams' newest times and groups' sizes wait before they are written to the catalog.
pub const TIMES_WRITE_EVERY: Duration = Duration::from_secs(1);
/// Streams whose newest times may wait; more are written at once.
pub const TIMES_WAITING_MAX: usize = 1000;
/// Streams of a deleted group that are removed in one commit.
pub const STREAMS_A_COMMIT: usize = 500;
/// How often a change is tried again when another came first.
pub const CONFLICTS_MAX: usize = 20;
/// Runs of one group's events whose sizes may wait to be counted; more are counted at once.
pub const RUNS_WAITING_MAX: usize = 1000;
/// Days of one group's sizes that are read at once.
pub const DAYS_AT_ONCE: usize = 500;
/// Subscriptions of one group (AWS: 2).
pub const SUBSCRIPTIONS_MAX: usize = 2;
/// Metric filters of one group (AWS: 100).
pub const METRIC_FILTERS_MAX: usize = 100;
/// Dimensions that a metric filter takes out of events (AWS: 3).
pub const FILTER_DIMENSIONS_MAX: usize = 3;
/// Tags of one group (AWS: 50).
pub const TAGS_MAX: usize = 50;
/// Bytes of messages that go together to a subscriber, before they are packed: what does not shrink fits into a function's
/// event all the same. A larger event goes alone.
pub(crate) const BUNDLE_BYTES_MAX: usize = 128 << 10;
/// Followers of groups that have events in memory at a time.
pub(crate) const FOLLOWERS_AT_ONCE: usize = 16;
/// How long an event waits at the most for a destination that does not take it (AWS: 24 hours).
pub(crate) const SUBSCRIBED_FOR: Duration = Duration::from_secs(24 * 3600);
/// The first wait before something that failed is tried again; each doubles the one before.
pub(crate) const WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(30);
/// How long a change of a metric filter waits for the events before it to be counted.
pub(crate) const CATCH_UP_MAX: Duration = Duration::from_secs(5);
/// Notes of what was counted after which the earlier ones are let go of.
pub(crate) const NOTES_KEPT: u64 = 1000;
/// Live tails at a time (AWS: 15).
pub const TAILS_MAX: usize = 15;
/// Groups of one live tail (AWS: 10).
pub const TAIL_GROUPS_MAX: usize = 10;
/// Events in one update of a live tail; of more, some are left out (AWS: 500).
pub const TAIL_EVENTS_MAX: usize = 500;
/// Bytes of messages in one update of a live tail.
pub const TAIL_BYTES_MAX: usize = 1_048_576;
/// The time between two updates (AWS: one second).
pub const TAIL_EVERY: Duration = Duration::from_secs(1);
/// How long a live tail goes on (AWS: three hours).
pub const TAIL_FOR: Duration = Duration::from_secs(3 * 3600);
