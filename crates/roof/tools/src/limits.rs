//! The bounds of the tools' memory and of their waits.

use std::time::Duration;

/// Bytes of one line of a source.
pub const LINE_BYTES_MAX: u64 = 16 << 20;

/// Events held to be put in order, by default.
pub const READ_AHEAD_EVENTS: usize = 10_000;

/// Bytes of the events held to be put in order; the first beyond leaves.
pub const READ_AHEAD_BYTES_MAX: usize = 64 << 20;

/// Events that wait between the thread that decodes and the one that sends.
pub const DECODED_EVENTS_MAX: usize = 1024;

/// Pieces of a source that wait to be decoded.
pub const CHUNKS_MAX: usize = 16;

/// Bytes read from a file at a time.
pub const FILE_CHUNK_BYTES: usize = 256 << 10;

/// Outcomes of puts that are watched at a time.
pub const OUTCOMES_MAX: usize = 100_000;

/// How often watermarks are sent.
pub const WATERMARK_INTERVAL: Duration = Duration::from_secs(1);

/// How often progress is shown on a terminal.
pub const PROGRESS_INTERVAL: Duration = Duration::from_millis(500);

/// How often progress is written where there is no terminal.
pub const PROGRESS_LINE_INTERVAL: Duration = Duration::from_secs(5);

/// The first pause before a source is opened again.
pub const SOURCE_PAUSE_MIN: Duration = Duration::from_millis(200);

/// The longest pause before a source is opened again.
pub const SOURCE_PAUSE_MAX: Duration = Duration::from_secs(2);

/// Trips in one object that a demo makes.
pub const DEMO_TRIPS_PER_OBJECT_MAX: u64 = 250_000;

/// Bytes of one object that a demo reads back; a delivery's objects are far smaller.
pub const DEMO_OBJECT_BYTES_MAX: usize = 256 << 20;

/// Bytes of records in one call of the load generator: what PutRecords takes at most (Kinesis API reference).
pub const BENCH_CALL_BYTES_MAX: usize = 10 << 20;

/// How long the load generator waits for an answer.
pub const BENCH_ANSWER_WAIT_MAX: Duration = Duration::from_secs(60);

/// How long the load generator waits for a connection.
pub const BENCH_CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// Connections that rest and are opened at a time: fewer than a listener's queue takes.
pub const BENCH_CONNECTING_MAX: usize = 64;

/// Bytes of a file when the disk is measured, as of a log's files; then comes the next.
pub const BENCH_DISK_FILE_BYTES: u64 = 64 << 20;

/// Bytes that are written without a sync when the disk is measured.
pub const BENCH_DISK_BYTES_MAX: u64 = 4 << 30;

/// The load generator's pause after a call that failed or was throttled, and at the tip of all its shards.
pub const BENCH_PAUSE: Duration = Duration::from_millis(10);

/// Failed calls in a row after which a connection of the load generator gives up.
pub const BENCH_FAILURES_MAX: u32 = 100;

/// How long the load generator waits for events of fan-out after the last, once nothing is put any more.
pub const BENCH_FANOUT_QUIET_MAX: Duration = Duration::from_secs(10);

/// How long the load generator waits for lines of the function that it made after the last.
pub const BENCH_FUNCTION_QUIET_MAX: Duration = Duration::from_secs(10);

/// Items of a table that the load generator fills.
pub const BENCH_TABLE_ITEMS_MAX: u64 = 1 << 40;

/// Items that each connection of the load generator remembers, for them to be read back.
pub const BENCH_SAMPLE_ITEMS_MAX: usize = 16;

/// Items of a table that was filled that are read back besides.
pub const BENCH_SAMPLE_OTHERS: usize = 256;
