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
