//! The bounds of mappings.

use std::time::Duration;

/// The most bytes of one event, as JSON: what functions take (AWS's quota of 6 MB an invocation, less room for what
/// frames the records).
pub const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024 - 4096;
/// The most records that are read at once.
pub(crate) const READ_RECORDS_MAX: usize = 10_000;
/// The most bytes that are read at once.
pub(crate) const READ_BYTES_MAX: usize = 6 * 1024 * 1024;
/// The most bytes that are read at once to measure a batch, of which nothing is kept.
pub(crate) const MEASURED_BYTES_MAX: usize = 1024 * 1024;
/// How many lanes measure at once.
pub(crate) const MEASURING_MAX: usize = 32;
/// How long a lane waits whose source woke it without a record.
pub(crate) const SOURCE_PAUSE: Duration = Duration::from_millis(50);
/// The memory that batches of all mappings work in, in KiB: each holds its records and, while it is sent, its event.
pub(crate) const WORK_KIB_MAX: u32 = 256 * 1024;
/// The room that a batch has while it is read, in KiB: for the largest record that there can be, of 10 MiB, and what is
/// told of it; or for as much as is read at once beside what is there, and its event.
pub(crate) const BATCH_KIB_MAX: u32 = 25 * 1024;
/// How many records may be passed over, because they are for another lane or match no filter, before that is written.
pub(crate) const PASSED_OVER_MAX: u64 = 10_000;
/// The first wait before a batch is tried again; each doubles the one before.
pub(crate) const RETRY_WAIT_MIN: Duration = Duration::from_millis(100);
/// The longest (AWS's guide: up to one minute).
pub(crate) const RETRY_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long after its end a window waits for records that arrived in it and are being written.
pub(crate) const WINDOW_GRACE: Duration = Duration::from_secs(1);
/// The longest state of a window that is kept in memory between calls; a longer one is read from the catalog for each.
pub(crate) const STATE_AT_REST_MAX: usize = 4096;
/// The largest state of a window (AWS's guide: 1 MB).
pub(crate) const WINDOW_STATE_BYTES_MAX: usize = 1024 * 1024;
/// How long one call waits for messages of a queue.
pub(crate) const TAKE_WAIT: Duration = Duration::from_secs(20);
/// The most messages that are received at once (AWS's bound).
pub(crate) const RECEIVED_MAX: usize = 10;
/// The room for messages while they are received, in KiB: ten of a megabyte, and what they are as parts of an event.
pub(crate) const RECEIVE_KIB_MAX: u32 = 24 * 1024;
/// How many batches of a queue are worked on at once in the beginning (AWS's guide: five).
pub(crate) const CALLS_MIN: u32 = 5;
/// How many at the most. Functions have bounds of their own, and others who call them.
pub(crate) const CALLS_MAX: u32 = 64;
/// The most mappings of a server.
pub const MAPPINGS_MAX: usize = 10_000;
/// The most tags of a mapping.
pub const TAGS_MAX: usize = 50;
/// How often a change begins again that others were faster than.
pub(crate) const CONFLICTS_MAX: usize = 20;
/// The most rows that one commit removes.
pub(crate) const ROWS_A_COMMIT: usize = 500;
