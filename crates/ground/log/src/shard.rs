//! A shard in memory: what writers were promised, what readers may see, and its recent blocks.
//!
//! Recent blocks are those of files that have no footer yet or are in the tail cache; everything older is found through
//! the footers (`segment`). Costs some hundred bytes a shard and 40 a recent block.

use std::{collections::VecDeque, hint::black_box, sync::atomic::AtomicU64};

use bytes::Bytes;
use headwater_types::Millis;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    api::{Retention, ShardNumber, ShardState},
    block_ref::{BlockRef, Trim, Wanted},
    format::{BlockHeader, Kind},
    limits,
    tail::TailCache,
};

/// How many shards are brought close at one go, where there may be thousands: they fit into the processor's nearest cache.
const FETCHED: usize = 64;

/// A shard.
pub struct Shard {
    /// Its number.
    pub number: ShardNumber,
    /// The place of the next append. Changed only while the queue is locked.
    pub assigned: Mutex<Assigned>,
    /// The durable part.
    pub tail: Mutex<Tail>,
    /// Wakes those who wait for the end to move, or the shard to be sealed or removed.
    pub grown: Notify,
    /// The sequence of the sealed file that was read last: readers mostly go on there, or in the next.
    pub last_read: AtomicU64,
}

/// Where the next append of a shard goes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Assigned {
    /// The next offset.
    pub next: u64,
    /// The time of the newest record, durable or not.
    pub time: Millis,
    /// Whether a seal was taken, durable or not.
    pub sealed: bool,
}

/// The durable end of a shard.
#[derive(Default)]
pub struct Tail {
    /// One past the newest record.
    pub end: u64,
    /// The time of the newest record.
    pub newest: Millis,
    /// Whether it takes no more records.
    pub sealed: bool,
    /// Whether it was removed.
    pub removed: bool,
    /// Whether somebody waits for the end to move.
    awaited: bool,
    /// Its retention; nothing expires until its owner said.
    pub retention: Option<Retention>,
    /// Records before this time may be gone from the files.
    pub dropped: Millis,
    /// Where readable records began when that was looked up last, and the blocks that follow there; see
    /// [`Tail::first_readable`].
    pub trims: VecDeque<Trim>,
    recent: VecDeque<Recent>,
}

/// A block of a file that has no footer yet, or that the tail cache holds a part of.
struct Recent {
    /// Where it is.
    block: BlockRef,
    /// The sequence of its file.
    file: u64,
}

/// The place of an offset, as far as the recent blocks know it.
pub enum Lookup {
    /// It is in the first of these blocks of the file with this sequence.
    File(u64, Vec<BlockRef>),
    /// It is in an older file, if anywhere.
    Older,
}

impl Lookup {
    /// The blocks and their bytes, as far as these are held in memory; none when those of the first are not.
    pub fn in_memory(&self, tail: &TailCache) -> Option<Vec<(BlockRef, Bytes)>> {
        match self {
            Lookup::File(file, blocks) => tail.blocks(*file, blocks),
            Lookup::Older => None,
        }
    }
}

impl Shard {
    /// A shard without records.
    pub fn new(number: ShardNumber) -> Self {
        Self {
            number,
            assigned: Mutex::default(),
            tail: Mutex::default(),
            grown: Notify::new(),
            last_read: AtomicU64::new(0),
        }
    }

    /// A shard whose durable records end like this.
    pub fn recovered(number: ShardNumber, end: u64, newest: Millis, sealed: bool) -> Self {
        let shard = Self::new(number);
        *shard.tail.lock() = Tail {
            end,
            newest,
            sealed,
            ..Tail::default()
        };
        shard.forget_assigned();
        shard
    }

    /// Has the processor bring it close, which takes a look at each part of it: over many shards one behind the other,
    /// with nothing in between that waits for the memory, this takes about as long as for a few.
    pub fn fetch(&self) {
        black_box((
            self.assigned.is_locked(),
            self.tail.is_locked(),
            self.number,
        ));
    }

    /// Takes back what was assigned and did not become durable.
    pub fn forget_assigned(&self) {
        let tail = self.tail.lock();
        *self.assigned.lock() = Assigned {
            next: tail.end,
            time: tail.newest,
            sealed: tail.sealed,
        };
    }

    /// Makes a durable block visible to readers.
    pub fn publish(&self, header: &BlockHeader, at: u64, file: u64) {
        let awaited = {
            let mut tail = self.tail.lock();
            tail.push(header, at, file);
            std::mem::take(&mut tail.awaited)
        };
        if awaited {
            self.grown.notify_waiters();
        }
    }

    /// Whether there is no need to wait for records past `offset`; otherwise those who wait already will be woken.
    pub fn is_past(&self, offset: u64) -> bool {
        let mut tail = self.tail.lock();
        let is_past = tail.end > offset || tail.sealed || tail.removed;
        tail.awaited |= !is_past;
        is_past
    }

    /// Forgets all it holds.
    pub fn remove(&self) {
        let mut tail = self.tail.lock();
        tail.removed = true;
        tail.recent = VecDeque::new();
        drop(tail);
        self.grown.notify_waiters();
    }
}

/// `items` in order; the shards of a few at a time are brought close before the first of them is given out, see
/// [`Shard::fetch`].
pub fn fetched<T>(items: &[T], shard: impl Fn(&T) -> &Shard) -> impl Iterator<Item = &T> {
    items.chunks(FETCHED).flat_map(move |few| {
        few.iter().for_each(|item| shard(item).fetch());
        few
    })
}

impl Tail {
    fn push(&mut self, header: &BlockHeader, at: u64, file: u64) {
        if header.kind == Kind::Seal {
            (self.end, self.sealed) = (header.first, true);
            return;
        }
        if self.removed {
            return;
        }
        if header.first == 0 {
            self.trims = VecDeque::from([Trim {
                first: 0,
                time: header.time,
            }]);
        }
        (self.end, self.newest) = (header.end(), header.time);
        self.recent.push_back(Recent {
            block: BlockRef::new(header, at),
            file,
        });
    }

    /// Before which time records are expired.
    pub fn cutoff(&self, now: Millis) -> Millis {
        self.retention.map_or(self.dropped, |r| {
            self.dropped.max(r.floor).max(now.minus(r.period))
        })
    }

    /// Records before `time` are about to go: nobody shall look for them any more, whatever the retention becomes.
    pub fn drop_before(&mut self, time: Millis) {
        self.dropped = self.dropped.max(time);
    }

    /// The first record that is not expired before `cutoff`, or the end, when memory alone knows.
    pub fn first_readable(&mut self, cutoff: Millis) -> Option<u64> {
        // The blocks follow each other, so the first that is not expired is where readable records begin.
        while self.trims.front().is_some_and(|trim| trim.time < cutoff) {
            self.trims.pop_front();
        }
        if let Some(trim) = self.trims.front() {
            return Some(trim.first);
        }
        let found = self.find_time(cutoff)?;
        if found.first < self.end {
            self.trims.push_back(found);
        }
        Some(found.first)
    }

    /// The shard as readers see it, given the oldest readable offset.
    pub fn state(&self, first: u64) -> ShardState {
        ShardState {
            first,
            end: self.end,
            newest: self.newest,
            sealed: self.sealed,
        }
    }

    /// The first offset at or after `time`, when memory alone knows.
    pub fn find_time(&self, time: Millis) -> Option<Trim> {
        if self.end == 0 || self.newest < time {
            return Some(Trim {
                first: self.end,
                time: Millis(u64::MAX),
            });
        }
        if let Some(trim) = self
            .trims
            .front()
            .filter(|trim| trim.time >= time && trim.first == 0)
        {
            return Some(*trim);
        }
        let oldest = self.recent.front()?;
        if oldest.block.time >= time && oldest.block.first > 0 {
            return None;
        }
        let found = &self.recent[self.recent.partition_point(|r| r.block.time < time)].block;
        Some(Trim {
            first: found.first,
            time: found.time,
        })
    }

    /// The oldest recent block.
    pub fn oldest_recent(&self) -> Option<BlockRef> {
        self.recent.front().map(|r| r.block)
    }

    /// The blocks that hold `from` and what follows, as far as `records` and `bytes` reach.
    pub fn lookup(&self, from: u64, records: usize, bytes: usize) -> Lookup {
        let at = self.recent.partition_point(|r| r.block.end() <= from);
        let Some(hit) = self.recent.get(at).filter(|r| r.block.first <= from) else {
            return Lookup::Older;
        };
        let file = hit.file;
        let rest = self
            .recent
            .range(at..)
            .take_while(|r| r.file == file)
            .map(|r| r.block);
        Lookup::File(
            file,
            Wanted::from(hit.block, from, records, bytes).take(rest, |block| *block),
        )
    }

    /// Forgets the blocks of files up to `through`: footers know them.
    pub fn prune(&mut self, through: u64) {
        while self.recent.front().is_some_and(|r| r.file <= through) {
            self.recent.pop_front();
        }
        if self.recent.capacity() > limits::RECENT_BLOCKS.max(4 * self.recent.len()) {
            self.recent
                .shrink_to(limits::RECENT_BLOCKS.max(2 * self.recent.len()));
        }
    }

    /// The blocks of one file that has no footer yet.
    pub fn blocks_of(&self, file: u64) -> impl Iterator<Item = BlockRef> {
        let from = self.recent.partition_point(|r| r.file < file);
        self.recent
            .range(from..)
            .take_while(move |r| r.file == file)
            .map(|r| r.block)
    }
}
