//! The trait that every engine of the log fulfils, and its data.

use std::{path::PathBuf, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_types::{Millis, kept::ShardSpace};

/// A shard's number within the log. Its owner gives each shard a number that was never used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardNumber(pub u64);

impl ShardNumber {
    /// The bits that say which share of the numbers it is of.
    const SPACE_BITS: u32 = 8;
    const SPACE_SHIFT: u32 = u64::BITS - Self::SPACE_BITS;

    /// Number `number`, below 2^56, of a share of the numbers.
    pub const fn new(space: ShardSpace, number: u64) -> Self {
        debug_assert!(number >> Self::SPACE_SHIFT == 0);
        Self((space as u64) << Self::SPACE_SHIFT | number)
    }

    /// Its number within `space`; none where it is of another share.
    pub const fn within(self, space: ShardSpace) -> Option<u64> {
        if self.0 >> Self::SPACE_SHIFT == space as u64 {
            Some(self.0 << Self::SPACE_BITS >> Self::SPACE_BITS)
        } else {
            None
        }
    }
}

/// A record to append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewRecord<'a> {
    /// A short key, at most 65,535 bytes.
    pub key: &'a [u8],
    /// The record itself, at most 1 GiB.
    pub value: &'a [u8],
}

/// A record read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the shard, counted from 0 without gaps.
    pub offset: u64,
    /// When it was appended; within a shard times never decrease.
    pub time: Millis,
    /// Its key.
    pub key: Bytes,
    /// Its value.
    pub value: Bytes,
}

/// Records to append to one shard: all of them or none.
#[derive(Debug, Clone, Copy)]
pub struct Append<'a> {
    /// The shard that takes them.
    pub shard: ShardNumber,
    /// The records; at least one.
    pub records: &'a [NewRecord<'a>],
}

/// Where an [`Append`] ended up: its records have the offsets from `first_offset` on and all the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of its first record.
    pub first_offset: u64,
    /// The time that its records were given.
    pub time: Millis,
}

/// Why one append of a batch was refused; the others of the batch stand, unless it was to be appended whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// The shard takes no more records: it was sealed.
    #[error("the shard is sealed")]
    Sealed,
    /// The log does not know the shard.
    #[error("the log has no shard {}", .0.0)]
    Unknown(ShardNumber),
    /// The whole log refuses.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Why the log itself cannot do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The disk has no room; nothing was kept, and the same call succeeds once there is room again.
    #[error("the disk that holds {} is full: free some space, and writing goes on by itself", .dir.display())]
    DiskFull {
        /// The log's folder.
        dir: PathBuf,
    },
    /// A write or sync failed, so nobody knows what the disk holds: the log must be opened anew.
    #[error(
        "the log stopped after a failed {operation}: {error}. Check the disk, then restart; what was acknowledged is safe"
    )]
    Poisoned {
        /// "write" or "sync".
        operation: &'static str,
        /// The system's error.
        error: Arc<str>,
    },
    /// Stored bytes are not what was written.
    #[error(
        "{} is damaged at byte {offset}: {what}. `headwater log verify` lists all that is damaged; while no server \
         runs, put the file back from a copy",
        .file.display()
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        offset: u64,
        /// The fault there.
        what: &'static str,
    },
    /// Somebody else has the log's folder open.
    #[error("{} is in use by another server: stop that one, or choose another folder", .dir.display())]
    InUse {
        /// The folder.
        dir: PathBuf,
    },
    /// A file could not be read or changed.
    #[error("{}: {error}", .file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The system's error.
        error: Arc<str>,
    },
    /// An engine over a network does not reach what it keeps its records on; what it said. Trying again may help.
    #[error("the log cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// The log does not know the shard.
    #[error("the log has no shard {}", .0.0)]
    Unknown(ShardNumber),
    /// The log is shut down.
    #[error("the log is closed")]
    Closed,
}

/// How much a read returns at the most. At least one record is returned where there is one, whatever its size.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimit {
    /// Number of records.
    pub records: usize,
    /// Bytes of keys and values.
    pub bytes: usize,
}

/// The outcome of a read.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The records, in order, without gaps.
    pub records: Vec<Record>,
    /// Where the next read goes on.
    pub next: u64,
    /// The shard as it was when the read was made.
    pub state: ShardState,
}

/// A shard as its readers see it: only what is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ShardState {
    /// The oldest offset that may still be read (the trim point).
    pub first: u64,
    /// One past the newest durable record.
    pub end: u64,
    /// The time of the newest durable record, or 0 when there never was one.
    pub newest: Millis,
    /// Whether the shard takes no more records, ever.
    pub sealed: bool,
}

/// How much a log on this machine takes of it, and has done since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogUsage {
    /// Shards that it knows.
    pub shards: u64,
    /// Files that hold records.
    pub files: u64,
    /// Bytes of the files, with what is set aside ahead of the newest records.
    pub disk_bytes: u64,
    /// Bytes that the file system can still take.
    pub free_bytes: u64,
    /// Writes to the disk, each of what waited then of all shards; each was synced, unless it was opened without.
    pub commits: u64,
    /// Appends and seals that these answered.
    pub answered: u64,
    /// Bytes that these wrote.
    pub written_bytes: u64,
    /// The time that these took, synced.
    pub commit_time: Duration,
    /// The records that wait for the disk.
    pub waiting: Taken,
    /// The newest records, kept in memory for their readers.
    pub tail: Taken,
    /// Parts of the files' indexes that are kept in memory.
    pub index: Taken,
}

/// Bytes of memory that are taken of those that may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Taken {
    /// Bytes that are taken.
    pub bytes: u64,
    /// Bytes that may be.
    pub of: u64,
}

/// How long a shard's records may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Records older than this are expired.
    pub period: Duration,
    /// Records before this time are expired whatever the period says: once trimmed, always trimmed.
    pub floor: Millis,
}

/// A durable log of shards, kept on this machine or over a network.
///
/// * Order within a shard is the order of offsets; a reader MUST never see a gap, a record twice, or a record that
///   is not durable.
/// * An append MUST be durable when its future resolves, unless the engine was opened without syncing.
/// * Every call MAY come from any thread, and MUST NOT block it: what waits for a disk or a network is awaited. A
///   caller MUST NOT rely on a local file or on this process being alone.
/// * A caller MAY drop a future before it resolves; the change that it asked for MAY happen nevertheless.
/// * After [`Self::close`], and when the engine cannot go on, every call that can fail MAY do so; what it names was
///   either done whole or not at all, and MAY be asked for again.
#[async_trait]
pub trait ShardLog: Send + Sync {
    /// Makes shards known, with what expires of them. One that is known already MUST keep its records, and its
    /// retention is replaced; what is expired MAY stay so. Not an append: a shard without records MAY leave no trace,
    /// so its owner opens its shards again after each start, and after a failure, which MAY have opened some of them.
    async fn open_shards(
        &self,
        shards: &[ShardNumber],
        retention: Retention,
    ) -> Result<(), LogError>;

    /// Forgets shards for good; their bytes are reclaimed in the background. Those that are not known are passed over.
    /// After a failure or a restart some of them MAY be there still, whole: see [`Self::shards`].
    async fn remove_shards(&self, shards: &[ShardNumber]) -> Result<(), LogError>;

    /// The numbers of all shards that the log holds records of or was told of, in order. For their owners: these remove
    /// after a start those that no longer belong to anything.
    async fn shards(&self) -> Result<Vec<ShardNumber>, LogError>;

    /// Appends a batch: one result an append, in order. One durable write serves the whole batch. Waits, bounded,
    /// while too much is already under way.
    async fn append(&self, batch: &[Append<'_>]) -> Vec<Result<Appended, AppendError>>;

    /// Appends a batch as one: where one of its shards is sealed or not known, nothing of it is appended, and after a
    /// crash all of it is there or nothing. Where each append ended up, in order.
    async fn append_whole(&self, batch: &[Append<'_>]) -> Result<Vec<Appended>, AppendError>;

    /// Returns once every append that was given a time before this call shows to readers, or has failed: from then on no
    /// record appears whose time is before it, unless its shard has younger ones (the machine's clock was set back). The
    /// default is that of an engine that gives a time to what shows at once.
    async fn settle(&self) -> Result<(), LogError> {
        Ok(())
    }

    /// Reads from `from` on; an offset before the trim point starts at the trim point, one past the end finds none.
    /// [`Chunk::next`] says where to go on: MAY be before the end though the limit is not reached. [`Chunk::state`]
    /// comes with it, so that a reader need not ask for that.
    async fn read(
        &self,
        shard: ShardNumber,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError>;

    /// The first readable offset whose record's time is at or after `time`; the end when there is none.
    async fn offset_at(&self, shard: ShardNumber, time: Millis) -> Result<u64, LogError>;

    /// The shard as readers see it now: an append that resolved before the call MUST show.
    async fn state(&self, shard: ShardNumber) -> Result<ShardState, LogError>;

    /// Returns once the shard's end is past `offset`, or the shard is sealed, removed or not known, or the log is
    /// closed. MAY return early.
    async fn wait(&self, shard: ShardNumber, offset: u64);

    /// Seals a shard: ordered with the appends, no append that follows it succeeds. Returns the final end; sealing
    /// twice returns the same.
    async fn seal(&self, shard: ShardNumber) -> Result<u64, LogError>;

    /// Finishes what is under way and stops; appends after it fail with [`LogError::Closed`].
    async fn close(&self);

    /// Whether appends are accepted, and if not, why: for the health page. Known without asking anybody.
    fn health(&self) -> Result<(), LogError>;

    /// How much the whole log takes and has done, for operators to see; none of an engine that cannot tell.
    async fn usage(&self) -> Option<LogUsage> {
        None
    }
}
