//! The expired part of a sealed file, as those learn it who delete and rewrite it.

use headwater_types::Millis;

use crate::index::ShardEntry;

/// The blocks of a shard in a file that have expired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expired {
    /// All, and that the shard was there: it was removed.
    Shard,
    /// Those before this time.
    Before(Millis),
}

/// The entry of a shard in a file, and how much of that has expired.
pub type Judged = (ShardEntry, Expired);
