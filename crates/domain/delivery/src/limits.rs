//! The bounds of this crate.

use std::time::Duration;

/// Delivery streams that may exist (AWS: 5,000 a region).
pub const STREAMS_MAX: usize = 5_000;
/// How often encryption may be switched within [`ENCRYPTION_CHANGES_PERIOD`] (AWS: 25 in 24 hours).
pub const ENCRYPTION_CHANGES_MAX: usize = 25;
/// See there.
pub const ENCRYPTION_CHANGES_PERIOD: Duration = Duration::from_secs(24 * 3600);
/// Tags that a delivery stream may have.
pub const TAGS_MAX: usize = 50;
/// Bytes of a record that is put directly.
pub const RECORD_BYTES_MAX: usize = 1_024_000;
/// Records that are put together.
pub const PUT_RECORDS_MAX: usize = 500;
/// Bytes of all records that are put together.
pub const PUT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Bytes that one read of a shard takes into memory (more only where a single record is larger).
pub const READ_BYTES_MAX: usize = 1024 * 1024;
/// Records that one read of a shard takes.
pub const READ_RECORDS_MAX: usize = 10_000;
/// Bytes of a request to a function, and of its answer (Lambda's limit of 6 MB).
pub const INVOKE_BYTES_MAX: usize = 6 * 1024 * 1024;
/// Bytes that a record's frame adds to a request besides its data and its partition key.
pub const INVOKE_RECORD_FRAME_BYTES: usize = 400;
/// Invocations that one delivery stream has under way at once.
pub const INVOCATIONS_A_STREAM_MAX: usize = 4;
/// KiB of records that all executions of this process hold together (`budget.rs` says what is not counted).
pub const WORK_KIB_MAX: usize = 24 * 1024;
/// KiB that all files of rows hold which this process writes at one time, as they gather values and encode them.
pub const FILES_KIB_MAX: usize = 256 * 1024;
/// Bytes that a record has once it is unpacked.
pub const DECOMPRESSED_BYTES_MAX: usize = 10 * 1024 * 1024;
/// How much larger than it was what is unpacked can be: DEFLATE has 258 bytes in two bits, at the most.
pub const DEFLATE_FACTOR_MAX: usize = 1032;
/// Bytes of the groups in which records are unpacked, unless one is larger: so none has more than
/// [`DECOMPRESSED_BYTES_MAX`] then.
pub const PACKED_GROUP_BYTES_MAX: usize = DECOMPRESSED_BYTES_MAX / DEFLATE_FACTOR_MAX;
/// Records that one record is taken apart into (AWS's limit).
pub const SUB_RECORDS_MAX: usize = 500;
/// Bytes of the buffer into which Hadoop's codec for Snappy reads a packed block (its default).
pub const HADOOP_BUFFER_BYTES: usize = 256 * 1024;
/// Bytes of data in a block of Hadoop's Snappy: what its codec puts into one, so that even what does not shrink, but grows
/// by a sixth at most, fits into the buffer.
pub const HADOOP_BLOCK_BYTES: usize = HADOOP_BUFFER_BYTES - HADOOP_BUFFER_BYTES / 6 - 32;
/// Bytes of data in a block of snappy-java's Snappy (its stream's default).
pub const JAVA_BLOCK_BYTES: usize = 32 * 1024;
/// Bytes of text that one thread compresses of a GZIP file at once.
pub const GZIP_BLOCK_BYTES: usize = 256 * 1024;
/// Partitions that one batch may have (AWS: 500 active partitions a delivery stream).
pub const PARTITIONS_MAX: usize = 500;
/// MiB of incoming data after which a batch is closed that is partitioned, however little is in each of its partitions:
/// so much, as the steps leave it, lies in the spool on disk.
pub const PARTITIONED_BATCH_MIB: u32 = 1024;
/// KiB of records that one delivery stream holds whose destination lies beside the bucket: a dead one keeps them for as
/// long as its retry duration, and nobody else's.
pub const SINK_WORK_KIB_MAX: usize = 12 * 1024;
/// Uploads of one object, cut short by as many deaths, that are aborted at a start.
pub const UPLOADS_SWEPT_MAX: usize = 100;
/// Transformed pieces that wait for the compressor, and compressed ones that wait for the store.
pub const PIECES_WAITING_MAX: usize = 2;
/// Words and symbols of a query; each may take stack.
pub const QUERY_TOKENS_MAX: usize = 200;
/// Steps that a query takes over one record.
pub const QUERY_STEPS_MAX: u32 = 100_000;
/// How deep arrays and objects of a record lie in each other that a query sees (jq 1.6).
pub const QUERY_DEPTH_MAX: usize = 256;
/// Digits of a number in a record that a query sees: large ones take a long time.
pub const QUERY_DIGITS_MAX: usize = 400;
/// Bytes that a query takes for one record: the record itself, as it is in memory, and all values that it makes.
pub const QUERY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of a text that jq's own functions work on, some of which make hundreds of one.
pub const QUERY_TEXT_BYTES_MAX: usize = 64 * 1024;
/// Values of a list, or members of an object, that they work on.
pub const QUERY_LIST_MAX: usize = 100_000;
/// Retries that a function may be configured with (AWS documents up to 300).
pub const RETRIES_MAX: u32 = 300;
/// Bytes of a prefix once it is evaluated (AWS's rules for custom prefixes).
pub const PREFIX_BYTES_MAX: usize = 512;
/// Bytes of an object's key (S3's limit).
pub const KEY_BYTES_MAX: usize = 1024;
/// Bytes of an error's text in a status or a log line.
pub const ERROR_TEXT_BYTES_MAX: usize = 1024;

/// A wait of a reader that has read everything, so that many small puts are read together.
pub const READ_PAUSE: Duration = Duration::from_millis(50);
/// The same where batches are to be delivered at once.
pub const READ_PAUSE_MIN: Duration = Duration::from_millis(2);
/// The first wait after a failed delivery; each further one is twice as long …
pub const RETRY_WAIT_MIN: Duration = Duration::from_millis(250);
/// … up to this.
pub const RETRY_WAIT_MAX: Duration = Duration::from_secs(30);
/// The wait before a function is called again; each further one is twice as long, up to [`RETRY_WAIT_MAX`].
pub const INVOKE_WAIT_MIN: Duration = Duration::from_millis(100);

/// Bytes of data that go to a destination beside the bucket in one request; fewer where its buffer is smaller.
pub const SINK_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Records of a request to an HTTP endpoint (its published schema).
pub const ENDPOINT_RECORDS_MAX: usize = 10_000;
/// Records of a request to a Splunk collector.
pub const HEC_RECORDS_MAX: usize = 10_000;
/// Documents of a bulk request.
pub const BULK_RECORDS_MAX: usize = 5_000;
/// How long a destination may take to answer a request (AWS: 3 minutes).
pub const SINK_ANSWER_WAIT_MAX: Duration = Duration::from_secs(180);
/// Bytes of an answer of an endpoint (AWS: 1 MiB).
pub const ENDPOINT_ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an answer to a bulk request, which names every document.
pub const BULK_ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The pause after a first failed attempt at a destination; each further one is twice as long …
pub const SINK_PAUSE_MIN: Duration = Duration::from_secs(1);
/// … up to this (AWS's figures).
pub const SINK_PAUSE_MAX: Duration = Duration::from_secs(120);
/// The pause before a Splunk collector is asked for an acknowledgement, and asked again.
pub const HEC_ACK_PAUSE: Duration = Duration::from_secs(1);
/// How long a warehouse may take to load a batch.
pub const LOAD_WAIT_MAX: Duration = Duration::from_secs(3600);
/// Bytes of one JSON object or line that is loaded into a warehouse.
pub const LOAD_ROW_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How often a change is made again because another came first.
pub const CONFLICTS_MAX: usize = 20;
