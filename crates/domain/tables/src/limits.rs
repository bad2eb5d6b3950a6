//! The bounds of tables, by name. Those with no other source are in the developer guide ("Quotas in Amazon DynamoDB").

use std::time::Duration;

pub use headwater_items::limits::ITEM_BYTES;

/// Bytes of the items that a transaction writes, or reads. Those that it deletes do not count. (Source: the API's reference,
/// `TransactWriteItems`; Alternator's test_transact.py for deletions.)
pub const TRANSACTION_BYTES: usize = 4 << 20;
/// Lists and maps of an item within each other.
pub const NESTING: usize = 32;
/// Bytes of the items that one page looks at.
pub const PAGE_BYTES: usize = 1024 * 1024;
/// Items that one page gives: small ones take much more memory than they have bytes. AWS has no such bound, but does not
/// say where its pages end either.
pub const PAGE_ITEMS: usize = 20_000;
/// Bytes of a partition key's value.
pub const PARTITION_KEY_BYTES: usize = 2048;
/// Bytes of a sort key's value.
pub const SORT_KEY_BYTES: usize = 1024;
/// Partitions of a table that is paid for by the request.
pub const PARTITIONS_ON_DEMAND: u16 = 4;
/// Partitions of a table.
pub const PARTITIONS: u16 = 64;
/// Units of reading that make one partition more. (Source: the developer guide, "Partitions and data distribution".)
pub const PARTITION_READ: u64 = 3000;
/// Units of writing that make one partition more.
pub const PARTITION_WRITE: u64 = 1000;
/// So many seconds of capacity that was not used are kept. (Source: the developer guide, "Burst and adaptive
/// capacity".)
pub const BURST: Duration = Duration::from_secs(300);
/// Units of reading a second of a new table that is paid for by the request. (Source: the developer guide, "Initial
/// throughput for on-demand capacity mode".)
pub const ON_DEMAND_READ: f64 = 12_000.0;
/// Units of writing of the same.
pub const ON_DEMAND_WRITE: f64 = 4_000.0;
/// Units a second that a table which is paid for by the request comes to.
pub const TABLE_UNITS: f64 = 40_000.0;
/// How often such a table comes to twice what went through it. (Source: the developer guide, "Scaling and throttling for
/// on-demand capacity mode".)
pub const GROWTH_PERIOD: Duration = Duration::from_secs(30 * 60);
/// Over so long it is measured what goes through.
pub(crate) const PEAK_PERIOD: Duration = Duration::from_secs(60);
/// How many times a write of a transaction costs what it costs alone. (Source: the developer guide, "Capacity management for
/// transactions".)
pub const TRANSACTION_TIMES: f64 = 2.0;
/// How long a new table shows as being made.
pub const CREATING: Duration = Duration::from_millis(200);
/// How long changes are shown to the readers of a stream. (Source: the developer guide, "Change data capture for DynamoDB
/// Streams".)
pub const STREAM_KEPT: Duration = Duration::from_secs(24 * 3600);
/// After how long a shard of a stream is followed by another. (Source: the developer guide, "DynamoDB Streams Kinesis
/// adapter": about every four hours.)
pub const ROLL_EVERY: Duration = Duration::from_secs(4 * 3600);
/// How long the position of a stream's reader is good for. (Source: the API's reference, `GetShardIterator`.)
pub const ITERATOR_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long the token of a transaction is known.
pub const TOKEN_KEPT: Duration = Duration::from_secs(600);
/// Items that expired longer ago than this are left. (Source: the developer guide, "Computing Time to Live".)
pub const EXPIRED_MAX: Duration = Duration::from_secs(5 * 365 * 24 * 3600);
/// How long changes that were not sent yet are kept for their destination, which is as long as those of a stream. (Source:
/// the developer guide, "Using Kinesis Data Streams to capture changes to DynamoDB".)
pub const UNSENT_KEPT: Duration = STREAM_KEPT;
/// Senders that hold changes in memory at one time: each some MiB.
pub const SENDERS_AT_ONCE: usize = 8;

/// Streams of records that are known as destinations of one table; beyond that those are forgotten first that changes went
/// to the longest ago.
pub(crate) const DESTINATIONS: usize = 50;
/// Changes that are sent with one durable write.
pub(crate) const SEND_RECORDS: usize = 500;
/// Bytes of these in the change log.
pub(crate) const SEND_BYTES: usize = 2 << 20;
/// The pause before changes are sent again that could not be, which is doubled each time.
pub(crate) const SEND_PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause.
pub(crate) const SEND_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Streams of one table that can be read, which are those of a day.
pub(crate) const STREAMS: usize = 50;
/// The labels of two streams of a table are at least so far from each other.
pub(crate) const STREAM_LABEL_STEP: Duration = Duration::from_millis(1);
/// How often shards of streams are looked at, whether they are to end.
pub(crate) const ROLL_LOOK_EVERY: Duration = Duration::from_secs(60);
/// Tokens of transactions that are known; beyond that the oldest are forgotten before their time.
pub(crate) const TOKENS: usize = 500_000;
/// Bytes of whole items that one page of an index leads to, of which it may show little.
pub(crate) const PAGE_READ_BYTES: usize = 16 << 20;
/// Calls that wait for a partition's worker; those beyond it wait for a place.
pub(crate) const CALLS: usize = 1024;
/// Calls that share one durable write.
pub(crate) const CALLS_A_WRITE: usize = 256;
/// Bytes of items, before and after, of the calls that share one durable write, but for the last call: those that are
/// answered, or changed.
pub(crate) const WRITE_BYTES: usize = 4 << 20;
/// Durable writes of a partition after which its worker gives the thread back that it has, for others that wait for one.
pub(crate) const WRITES_A_THREAD: usize = 100;
/// Changes and bytes that are read at once to bring an index up to its log.
pub(crate) const REPLAY_RECORDS: usize = 1000;
/// See [`REPLAY_RECORDS`].
pub(crate) const REPLAY_BYTES: usize = 4 << 20;
/// Partitions that are brought up to their logs at one time.
pub(crate) const OPEN_AT_ONCE: usize = 4;
/// Items that are added to an index at one go, with other calls between.
pub(crate) const FILL_ROWS: usize = 500;
/// Bytes of these.
pub(crate) const FILL_BYTES: usize = 2 << 20;
/// Rows that are removed at one go.
pub(crate) const REMOVE_ROWS: usize = 2000;
/// How often the index is synced, and the change logs forget what it has.
pub(crate) const SYNC_EVERY: Duration = Duration::from_secs(10);
/// Bytes of rows after which it is synced before.
pub(crate) const SYNC_BYTES: u64 = 64 << 20;
/// How often items are looked for that expired.
pub(crate) const EXPIRE_EVERY: Duration = Duration::from_secs(1);
/// Expired items that are removed at one time.
pub(crate) const EXPIRE_ITEMS: usize = 100;
/// Retention is moved on in steps of at least this, each of which the log has to be told.
pub(crate) const TRIM_STEP: Duration = Duration::from_secs(60);
/// How often a change of a table is tried again when another came first.
pub(crate) const CONFLICTS: usize = 20;

/// Bytes of the index's cache of blocks.
pub(crate) const INDEX_CACHE_BYTES: u64 = 32 << 20;
/// Bytes of one of the index's tables in memory, of which there are at most three: one that is written to, which one batch
/// may exceed, [`INDEX_SEALED`] that waits for the disk, and one that the engine ended to be rid of a journal.
pub(crate) const INDEX_MEMTABLE_BYTES: u64 = 8 << 20;
/// Full tables in memory that wait for the disk; with more, writes wait. The engine has writes wait at 4, and does so even
/// when it has failed.
pub(crate) const INDEX_SEALED: usize = 1;
/// Files in the index's first level at which writes wait until some are merged; the engine slows down at 20.
pub(crate) const INDEX_RUNS: usize = 16;
/// How long a write waits before it looks again whether there is room.
pub(crate) const INDEX_PAUSE: Duration = Duration::from_millis(5);
/// How often it looks, which makes a minute; then it fails.
pub(crate) const INDEX_PAUSES: usize = 12_000;
/// Bytes of the index's journals on the disk.
pub(crate) const INDEX_JOURNAL_BYTES: u64 = 64 << 20;
/// Files that the index keeps open.
pub(crate) const INDEX_FILES: usize = 64;
/// Threads that write and merge the index's files. The engine's first only writes tables in memory to the disk, and spins
/// while all others merge and there is more to merge, which is rare with two others.
pub(crate) const INDEX_THREADS: usize = 3;
