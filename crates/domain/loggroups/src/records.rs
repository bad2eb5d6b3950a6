//! Groups and streams as the catalog keeps them, and the keys of streams.

use std::collections::BTreeMap;

use headwater_log::ShardNumber;
use headwater_types::{Millis, kept::ShardSpace};
use serde::{Deserialize, Serialize};

/// A log group as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The number of its shard within log groups' share.
    pub number: u64,
    /// When it was made.
    pub created: Millis,
    /// After how many days its events expire; never, when there is none.
    pub retention_days: Option<u32>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// A log stream as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    /// When it was made.
    pub created: Millis,
    /// The first offset of its group that may be its: what has its name before that is of a deleted stream.
    pub first_offset: u64,
    /// The times of its events, written a little later than the events themselves.
    pub times: Option<Times>,
}

/// The times of a stream's events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// The time of its first event.
    pub first: Millis,
    /// The time of its last event.
    pub last: Millis,
    /// When the last event arrived.
    pub ingested: Millis,
}

impl Times {
    /// The times of both together, `later` being the later one.
    pub(crate) fn and(self, later: Times) -> Times {
        Times {
            first: self.first,
            last: later.last,
            ingested: later.ingested,
        }
    }
}

impl Group {
    /// The group's shard.
    pub(crate) fn shard(&self) -> ShardNumber {
        shard(self.number)
    }
}

/// What the number of a group's shard has added where the shard says how far the group's events were counted.
const NOTES: u64 = 1 << 48;

/// The shard that says how far the events of the group with this number were counted.
pub(crate) fn notes_shard(number: u64) -> ShardNumber {
    shard(number | NOTES)
}

/// The shard of the group with this number.
pub(crate) fn shard(number: u64) -> ShardNumber {
    ShardNumber::new(ShardSpace::LogGroups, number)
}

/// Whether a shard belongs to log groups.
pub(crate) fn is_ours(shard: ShardNumber) -> bool {
    shard.within(ShardSpace::LogGroups).is_some()
}

/// A stream's key begins with its group's number, which is never used again: what a deleted group leaves behind is
/// nobody's.
pub(crate) fn stream_key(group: &Group, stream: &str) -> String {
    format!("{}{stream}", group_key(group.number))
}

/// The beginning of the keys of all that belongs to a group: its streams, its counts.
pub(crate) fn group_key(number: u64) -> String {
    format!("{number:016x}:")
}

/// The group's number that such a key begins with.
pub(crate) fn number_of(key: &str) -> Option<u64> {
    u64::from_str_radix(key.split(':').next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_and_keys_name_their_group() {
        let group = Group {
            number: 258,
            created: Millis(0),
            retention_days: None,
            tags: BTreeMap::new(),
        };
        assert_eq!(group.shard(), ShardNumber(0x0300_0000_0000_0102));
        assert!(is_ours(group.shard()) && !is_ours(ShardNumber(258)));
        assert_eq!(
            number_of(&stream_key(&group, "2026/11/21/[$LATEST]0")),
            Some(258)
        );
        assert_eq!(number_of("x"), None);
    }
}
