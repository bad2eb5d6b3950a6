//! The shards of a table's stream: of each partition one after the other, each the parent of the next.

use std::{fmt, str::FromStr};

use headwater_types::Millis;

use crate::{
    Begin, Stream, ViewType,
    limits::{ROLL_EVERY, STREAM_KEPT},
};

/// A shard, as its text names it for ever: `shardId-00000001700000000000-0000002a`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
    /// When it began.
    pub begun: Millis,
    /// The partition whose changes it has.
    pub partition: u16,
    /// The offset of its first change.
    pub begin: u64,
}

/// A shard of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamShard {
    /// Its id.
    pub id: ShardId,
    /// The shard before, of the same partition.
    pub parent: Option<ShardId>,
    /// One past its last change, where it takes no more.
    pub end: Option<u64>,
    /// Since when it takes no more.
    closed: Option<Millis>,
}

const PREFIX: &str = "shardId-";
const TIME_DIGITS: usize = 20;

impl fmt::Display for ShardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, partition, begin) = (self.begun.0, self.partition, self.begin);
        write!(f, "{PREFIX}{time:020}-{partition:02x}{begin:06x}")
    }
}

impl FromStr for ShardId {
    type Err = NotAShard;

    fn from_str(text: &str) -> Result<Self, NotAShard> {
        let read = || {
            let (time, rest) = text.strip_prefix(PREFIX)?.split_at_checked(TIME_DIGITS)?;
            let (partition, begin) = rest.strip_prefix('-')?.split_at_checked(2)?;
            Some(Self {
                begun: Millis(time.parse().ok()?),
                partition: u16::from_str_radix(partition, 16).ok()?,
                begin: u64::from_str_radix(begin, 16).ok()?,
            })
        };
        // Signs, large letters and more zeros name no shard.
        read().filter(|id| id.to_string() == text).ok_or(NotAShard)
    }
}

/// A text that names no shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a shard")]
pub struct NotAShard;

impl StreamShard {
    /// Whether all that it had has expired by `now`.
    fn is_gone(&self, now: Millis) -> bool {
        self.closed
            .is_some_and(|closed| closed.plus(STREAM_KEPT) <= now)
    }
}

impl Stream {
    /// The stream of a table that is being made.
    pub(crate) fn of_new_table(view: ViewType, partitions: u16, now: Millis) -> Self {
        let first = Begin {
            offset: 0,
            time: now,
        };
        Self {
            label: now,
            view,
            disabled: None,
            begins: vec![vec![first]; partitions.into()],
            ends: Vec::new(),
        }
    }

    /// A stream whose shards are yet to begin.
    pub(crate) fn enabling(label: Millis, view: ViewType) -> Self {
        Self {
            label,
            view,
            disabled: None,
            begins: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// Whether it is being enabled: it has no shards yet.
    pub fn is_enabling(&self) -> bool {
        self.begins.is_empty()
    }

    /// Whether it is being disabled: its shards have not ended yet.
    pub fn is_disabling(&self) -> bool {
        self.disabled.is_some() && self.ends.is_empty()
    }

    /// Whether it waits for its shards to begin or to end.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.is_enabling() || self.is_disabling()
    }

    /// Whether changes that are made now may be in it.
    pub(crate) fn takes_changes(&self) -> bool {
        self.ends.is_empty()
    }

    /// Whether it can still be read at `now`.
    pub fn is_readable(&self, now: Millis) -> bool {
        self.disabled
            .is_none_or(|disabled| disabled.plus(STREAM_KEPT) > now)
    }

    /// Its shards that have changes to read at `now` or may get some, in the order of their ids.
    pub fn shards(&self, now: Millis) -> Vec<StreamShard> {
        let partitions = (0..).zip(&self.begins);
        let shards = partitions.flat_map(|(partition, begins)| self.shards_of(partition, begins));
        let mut shards: Vec<_> = shards.filter(|shard| !shard.is_gone(now)).collect();
        shards.sort_unstable_by_key(|shard| shard.id);
        shards
    }

    /// The shard with this id.
    pub(crate) fn shard(&self, id: ShardId, now: Millis) -> Option<StreamShard> {
        let begins = self.begins.get(usize::from(id.partition))?;
        let mut shards = self.shards_of(id.partition, begins);
        shards.find(|shard| shard.id == id && !shard.is_gone(now))
    }

    fn shards_of(&self, partition: u16, begins: &[Begin]) -> impl Iterator<Item = StreamShard> {
        let id = move |begin: &Begin| ShardId {
            begun: begin.time,
            partition,
            begin: begin.offset,
        };
        let last = self.ends.get(usize::from(partition)).zip(self.disabled);
        let last = last.map(|(offset, time)| (*offset, time));
        begins.iter().enumerate().map(move |(at, begin)| {
            let next = begins.get(at + 1).map(|next| (next.offset, next.time));
            let end = next.or(last);
            StreamShard {
                id: id(begin),
                parent: at.checked_sub(1).and_then(|at| begins.get(at)).map(id),
                end: end.map(|(offset, _)| offset),
                closed: end.map(|(_, time)| time),
            }
        })
    }

    /// Begins its first shards, or ends its last ones, at the ends of the partitions, where it waits for that; else begins
    /// shards after those that are old enough and have changes, and forgets those that are gone.
    pub(crate) fn keep(&mut self, ends: &[u64], now: Millis) {
        if self.is_enabling() {
            let begin = |offset: &u64| Begin {
                offset: *offset,
                time: now,
            };
            self.begins = ends.iter().map(|end| vec![begin(end)]).collect();
        }
        if self.is_disabling() {
            self.ends = ends.to_vec();
        }
        if self.takes_changes() {
            self.roll(ends, now);
        }
    }

    fn roll(&mut self, ends: &[u64], now: Millis) {
        for (begins, end) in self.begins.iter_mut().zip(ends) {
            let is_due = |last: &Begin| last.time.plus(ROLL_EVERY) <= now && last.offset < *end;
            if begins.last().is_some_and(is_due) {
                begins.push(Begin {
                    offset: *end,
                    time: now,
                });
            }
            let is_gone = |next: &Begin| next.time.plus(STREAM_KEPT) <= now;
            while begins.get(1).is_some_and(is_gone) {
                begins.remove(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Millis = Millis(1_700_000_000_000);

    fn parents(stream: &Stream, now: Millis) -> Vec<(u64, Option<u64>, Option<u64>)> {
        let shards = stream.shards(now).into_iter();
        shards
            .map(|shard| {
                (
                    shard.id.begin,
                    shard.parent.map(|parent| parent.begin),
                    shard.end,
                )
            })
            .collect()
    }

    #[test]
    fn an_id_is_a_time_a_partition_and_an_offset() {
        let id = ShardId {
            begun: NOW,
            partition: 63,
            begin: 42,
        };
        assert_eq!(id.to_string(), "shardId-00000001700000000000-3f00002a");
        for text in [
            "",
            "shardId-00000001700000000000-3F00002a",
            "shardId-1-3f00002a",
            "zzzz",
        ] {
            assert_eq!(text.parse::<ShardId>(), Err(NotAShard), "{text}");
        }
    }

    #[test]
    fn shards_follow_each_other_where_there_were_changes() {
        let mut stream = Stream::of_new_table(ViewType::Keys, 2, NOW);
        stream.keep(&[5, 0], NOW);
        assert_eq!(parents(&stream, NOW), [(0, None, None), (0, None, None)]);
        let later = NOW.plus(ROLL_EVERY);
        stream.keep(&[5, 0], later);
        assert_eq!(
            parents(&stream, later),
            [(0, None, Some(5)), (0, None, None), (5, Some(0), None)]
        );
        stream.keep(&[5, 0], later.plus(ROLL_EVERY));
        assert_eq!(parents(&stream, later).len(), 3);
    }

    #[test]
    fn shards_are_gone_a_day_after_their_end() {
        let mut stream = Stream::of_new_table(ViewType::Keys, 1, NOW);
        let later = NOW.plus(ROLL_EVERY);
        stream.keep(&[5], later);
        let gone = later.plus(STREAM_KEPT);
        assert_eq!(parents(&stream, gone), [(5, Some(0), None)]);
        stream.keep(&[5], gone);
        assert_eq!(parents(&stream, gone), [(5, None, None)]);
        stream.disabled = Some(gone);
        assert!(stream.is_disabling());
        assert_eq!(parents(&stream, gone), [(5, None, None)]);
        stream.keep(&[5], gone);
        assert_eq!(parents(&stream, gone), [(5, None, Some(5))]);
        assert!(stream.is_readable(gone) && !stream.is_readable(gone.plus(STREAM_KEPT)));
    }

    proptest! {
        #[test]
        fn an_id_comes_back(begun: u64, partition in 0u16..=255, begin: u64) {
            let id = ShardId { begun: Millis(begun), partition, begin };
            prop_assert_eq!(id.to_string().parse(), Ok(id));
        }

        #[test]
        fn what_names_no_shard_is_refused(text in "(shardId-)?.{0,40}") {
            if let Ok(id) = text.parse::<ShardId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
