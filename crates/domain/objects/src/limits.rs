//! The bounds of this crate.

/// Bytes of an object that is put in one go: 5 GiB, as on AWS.
pub const PUT_BYTES_MAX: u64 = 5 << 30;
/// Bytes of a part: 5 GiB, as on AWS.
pub const PART_BYTES_MAX: u64 = 5 << 30;
/// Bytes of a part that is not the last: 5 MiB, as on AWS.
pub const PART_BYTES_MIN: u64 = 5 << 20;
/// Parts of an upload, and the greatest number of a part, as on AWS.
pub const PARTS_MAX: u32 = 10_000;
/// Bytes of a key, as on AWS.
pub const KEY_BYTES_MAX: usize = 1024;
/// Results of one page of a listing, as on AWS.
pub const PAGE_MAX: usize = 1000;
/// Blobs being written at once, each with an open file and one block in memory.
pub const WRITERS_MAX: usize = 256;
/// Objects being read at once, each with an open file and one block in memory.
pub const READERS_MAX: usize = 256;
/// Requests that may wait for a writer or a reader; those beyond are refused.
pub const WAITING_MAX: usize = 1024;
/// How often a change is tried against others that change the same object.
pub const COMMIT_ATTEMPTS: usize = 100;
/// Seconds between two looks at whether a day has begun since the last removal of what expired.
pub const EXPIRY_LOOK_SECONDS: u64 = 60;
/// Rows that the removal of what expired reads at once.
pub const EXPIRY_PAGE: usize = 200;
/// Objects that expired and are removed at once.
pub const EXPIRED_AT_ONCE: usize = 16;
/// Rows that the sweep for leftover files reads at once.
pub const SWEEP_PAGE: usize = 1000;
