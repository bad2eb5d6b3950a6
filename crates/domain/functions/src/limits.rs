//! Bounds on everything that waits or grows.

use std::time::Duration;

/// The concurrency of the account, of which functions may claim some (AWS: 1,000).
pub const ACCOUNT_CONCURRENCY: u32 = 1000;
/// The part of it that claims leave to all others (AWS: 100).
pub const UNRESERVED_MIN: u32 = 100;
/// Processes to be kept that are started at one time.
pub const KEEPING_MAX: usize = 4;
/// A policy as a document (AWS: 20 KB).
pub const POLICY_BYTES_MAX: usize = 20_480;
/// How often a change is made again because another came first.
pub const CONFLICTS_MAX: usize = 20;
/// A zipped package in a request (AWS: 50 MB); one out of a bucket is bounded by what it unpacks to.
pub const PACKAGE_BYTES_MAX: usize = 52_428_800;
/// Packages out of buckets that are in memory at one time, and as many on their way to be unpacked.
pub const PACKAGES_IN_MEMORY_MAX: usize = 2;
/// A package that is passed on is read in pieces of this size.
pub const PACKAGE_PIECE_BYTES: usize = 256 * 1024;
/// Reports of one process that wait to be heard.
pub const REPORTS_MAX: usize = 4;
/// An unpacked package (AWS: 250 MB).
pub const UNPACKED_BYTES_MAX: u64 = 262_144_000;
/// Versions that an alias leads to beside its own (AWS: one).
pub const ALIAS_WEIGHTS_MAX: usize = 1;
/// All packages together (AWS: 75 GB).
pub const CODE_BYTES_MAX: u64 = 80_530_636_800;
/// Files and folders in a package that is given, with the folders that no entry names.
pub const PACKAGE_ENTRIES_MAX: usize = 65_535;
/// The same of a package that is kept: from before such folders were counted, when it was given, it may have more of them.
pub const PACKAGE_KEPT_ENTRIES_MAX: usize = 4 * PACKAGE_ENTRIES_MAX;
/// The length of a name in a package: with the folder that it is unpacked to, below what systems take for a path.
pub const PACKAGE_NAME_BYTES_MAX: usize = 3072;
/// The length of one part of such a name, as file systems have it.
pub const PACKAGE_NAME_PART_BYTES_MAX: usize = 255;
/// Layers of a function (AWS: five).
pub const LAYERS_MAX: usize = 5;
/// The input of an invocation that is waited for (AWS: 6 MB).
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1024 * 1024;
/// The input of an invocation that is not waited for (AWS: 1 MB).
pub const EVENT_BYTES_MAX: usize = 1024 * 1024;
/// The answer of a function: 6 MB and the envelope that AWS adds.
pub const RESPONSE_BYTES_MAX: usize = 6_291_556;
/// An answer that is streamed (AWS: 200 MB).
pub const STREAMED_BYTES_MAX: u64 = 200 * 1024 * 1024;
/// Pieces of a streamed answer that wait for the caller.
pub const STREAM_PIECES_MAX: usize = 16;
/// The size of such a piece.
pub const STREAM_PIECE_BYTES: usize = 64 * 1024;
/// The content type that a function gives its streamed answer.
pub const CONTENT_TYPE_BYTES_MAX: usize = 1024;
/// How much of an answer that is too large is read and thrown away, so that the function hears why.
pub const RESPONSE_DRAIN_BYTES_MAX: usize = 64 * 1024 * 1024;
/// All environment variables of a function together, as JSON (AWS: 4 KB).
pub const ENVIRONMENT_BYTES_MAX: usize = 4096;
/// A function's tags (AWS: 50).
pub const TAGS_MAX: usize = 50;
/// The end of the output that a caller may ask for (AWS: 4 KB).
pub const LOG_TAIL_BYTES: usize = 4096;
/// A line of output without its end; a longer one is cut into several (CloudWatch: 256 KB an event, less its overhead).
pub const LOG_LINE_BYTES_MAX: usize = 262_144 - 26 - 1;
/// Batches of output lines that wait for the sink, each of about [`OUTPUT_READ_BYTES`].
pub const LOG_BATCHES_MAX: usize = 256;
/// How often a batch of lines is offered to a sink that fails, a second apart, before it is given up.
pub const LOG_TRIES_MAX: u32 = 10;
/// Output read from a process at once.
pub const OUTPUT_READ_BYTES: usize = 64 * 1024;
/// Connections that one process may hold to its runtime API.
pub const RUNTIME_CONNECTIONS_MAX: usize = 16;
/// Invocations that wait for room to run.
pub const WAITING_MAX: usize = 256;
/// How long a process may take to ask for its first invocation, beside the function's own time-out (AWS: 10 s).
pub const INIT_TIME: Duration = Duration::from_secs(10);
/// The wait after a process that is to be kept could not be started.
pub const KEEP_AGAIN_AFTER: Duration = Duration::from_secs(60);
/// How long a process without work is kept.
pub const IDLE_TIME_MAX: Duration = Duration::from_secs(300);
/// How often idle processes are looked at.
pub const IDLE_CHECK_EVERY: Duration = Duration::from_secs(15);
/// How long a shutdown waits for invocations that run.
pub const CLOSE_TIME: Duration = Duration::from_secs(10);
/// The most that one half of the space for new values is told in a Node process, in MB (V8's own default).
pub const NODE_SEMI_SPACE_MB_MAX: u32 = 16;
/// How often a busy process's memory is measured.
pub const MEMORY_CHECK_EVERY: Duration = Duration::from_millis(100);
/// Events that wait, all functions together.
pub const EVENTS_MAX: usize = 10_000;
/// Bytes of all waiting events together.
pub const EVENTS_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Events that run at the same time.
pub const EVENTS_RUNNING_MAX: usize = 16;
/// How often an event is tried that the function fails (AWS: three times in all).
pub const EVENT_TRIES_MAX: u32 = 3;
/// The wait before the second try of an event, doubled before the third (AWS: one and two minutes).
pub const EVENT_RETRY_AFTER: Duration = Duration::from_secs(60);
/// The wait before another try when something failed that is not the function.
pub const EVENT_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How often it is looked whether a function that had no room has some, beside when an invocation ends.
pub const EVENTS_LOOK_EVERY: Duration = Duration::from_secs(5);
/// The age below which no event is too old (AWS: a minute).
pub const EVENT_AGE_MIN: Duration = Duration::from_secs(60);
/// Events, of 1 MB at most, that are read at once when the server starts.
pub const EVENTS_READ: usize = 16;
/// Outcomes of events that wait to be told.
pub const OUTCOMES_MAX: usize = 1000;
/// Bytes of all waiting outcomes together.
pub const OUTCOMES_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Outcomes, of 8 MB at most, that are read at once when the server starts.
pub const OUTCOMES_READ: usize = 4;
/// Outcomes that are told at the same time.
pub const OUTCOMES_RUNNING_MAX: usize = 16;
/// Those of them that go to one place.
pub const OUTCOMES_RUNNING_PER_PLACE: usize = 4;
/// Those of them that could not be told before.
pub const OUTCOMES_TROUBLED_MAX: usize = 8;
/// How long it may take to tell an outcome.
pub const OUTCOME_TIME: Duration = Duration::from_secs(30);
/// The wait before an outcome is told again, doubled each time.
pub const OUTCOME_RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest such wait.
pub const OUTCOME_RETRY_MAX: Duration = Duration::from_secs(60);
/// How long it is tried to tell an outcome.
pub const OUTCOME_AGE_MAX: Duration = Duration::from_secs(3600);
/// The message of a dead letter (AWS: the first 1 KB).
pub const DEAD_LETTER_MESSAGE_BYTES: usize = 1024;
/// How old an event may grow (AWS: six hours).
pub const EVENT_AGE_MAX: Duration = Duration::from_secs(6 * 3600);
