//! Every bound of the embedded engine, by name.

use std::time::Duration;

/// Bytes of appends that may wait for the disk; appenders beyond wait for room.
pub const PENDING_BYTES: usize = 16 << 20;

/// The unit in which room for pending bytes is counted: every batch takes at least one.
pub const PENDING_UNIT: usize = 1 << 10;

/// A commit that answered at least so many callers is followed by one that waits for them to come again.
pub const GATHER_CALLERS: usize = 8;

/// How long it waits at the most; never longer than the commit before it took.
pub const GATHER_TIME: Duration = Duration::from_micros(200);

/// Bytes for which a commit is worth its while, however few callers they are of.
pub const GATHER_BYTES: usize = 128 << 10;

/// A block is closed once its records have this many bytes, so that a read of one record stays small.
pub const BLOCK_BYTES: usize = 128 << 10;

/// Bytes of a record's key.
pub const KEY_BYTES: usize = u16::MAX as usize;

/// Bytes of a record's value.
pub const VALUE_BYTES: usize = 1 << 30;

/// Bytes that one write past the system's cache takes at the most; a multiple of what it must be aligned to.
pub const DIRECT_BYTES: usize = 1 << 20;

/// Zeros that such a write of at most [`SMALL_WRITE_BYTES`] adds where blocks begin that were never written; a multiple
/// of what it must be aligned to.
pub const ZEROS_AHEAD_BYTES: usize = 512 << 10;

/// The most bytes of a small write: for larger ones, the disk's rate counts, and zeros would take a part of it.
pub const SMALL_WRITE_BYTES: usize = 128 << 10;

/// Reads of files that run at one time; more wait.
pub const READS: usize = 16;

/// Bytes that one read takes from a file at one go.
pub const READ_BYTES: usize = 1 << 20;

/// Blocks of one shard with at most this many foreign bytes between them are read at one go.
pub const READ_GAP_BYTES: u64 = 4 << 10;

/// Blocks that lie further apart are read with what is around them: an aligned part of this size, which the system
/// keeps for the readers of other shards.
pub const READ_AHEAD_BYTES: u64 = 256 << 10;

/// Bytes that a batch in the tail costs beside its own.
pub const TAIL_BATCH_OVERHEAD: usize = 128;

/// A batch of at least this many bytes leaves its buffer to one that comes later.
pub const SPARE_LEAST_BYTES: usize = 64 << 10;

/// Bytes of such buffers that are kept.
pub const SPARE_BYTES: usize = 4 << 20;

/// Recent blocks of a shard for which room is kept though there are far fewer.
pub const RECENT_BLOCKS: usize = 32;

/// Blocks after which a file counts as full, though it has few bytes: each takes memory until the file has its footer.
pub const FILE_BLOCKS: u64 = 128 << 10;

/// Journal files that may wait for their footers; appends wait beyond that.
pub const UNSEALED_FILES: usize = 8;

/// Sealed files that are kept open.
pub const OPEN_FILES: usize = 64;

/// Bytes of directory pages, runs and chunks of sealed files that are kept in memory.
pub const INDEX_CACHE_BYTES: usize = 8 << 20;

/// Blocks from a shard's oldest readable one on whose times are kept in memory, so that the trim point can move on
/// without a look into a file.
pub const TRIM_BLOCKS: usize = 64;

/// Bytes that one step of maintenance rewrites at the most, rounded up to a whole file.
pub const REWRITE_BYTES: u64 = 128 << 20;

/// Bytes of blocks that a rewrite holds in memory, and the size of the frames it writes.
pub const REWRITE_FRAME_BYTES: usize = 4 << 20;

/// How often expired bytes are looked for.
pub const MAINTAIN_EVERY: Duration = Duration::from_secs(10);
