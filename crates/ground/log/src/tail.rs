//! The tail cache: the newest batches as they were written, within one budget of bytes, the oldest dropped first.
//!
//! Shards know where their recent blocks are; whether the bytes are still in memory is asked here. So a batch costs one
//! entry, however many shards it is spread over, and to drop it touches none of them.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{api::Taken, block_ref::BlockRef, buffers::Buffers, limits};

/// The newest batches.
pub struct TailCache {
    budget: usize,
    /// The buffers of batches that were dropped.
    pub spare: Buffers,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
}

/// A batch, and where it stands.
struct Batch {
    /// The sequence of the journal file, and the position in it.
    place: (u64, u64),
    bytes: Bytes,
}

impl TailCache {
    /// A cache that holds at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self {
            budget,
            spare: Buffers::default(),
            state: Mutex::default(),
        }
    }

    /// Keeps the bytes that were written to the journal file `file` at `at`, behind all before, and drops the oldest
    /// batches until all fit.
    pub fn keep(&self, file: u64, at: u64, bytes: Bytes) {
        let mut state = self.state.lock();
        state.bytes += bytes.len() + limits::TAIL_BATCH_OVERHEAD;
        state.batches.push_back(Batch {
            place: (file, at),
            bytes,
        });
        while state.bytes > self.budget
            && let Some(dropped) = state.batches.pop_front()
        {
            state.bytes -= dropped.bytes.len() + limits::TAIL_BATCH_OVERHEAD;
            self.spare.give(dropped.bytes);
        }
    }

    /// The bytes of blocks of one journal file, in order of their positions; none when the first is not kept any more.
    pub fn blocks(&self, file: u64, blocks: &[BlockRef]) -> Option<Vec<(BlockRef, Bytes)>> {
        let state = self.state.lock();
        let found = blocks
            .iter()
            .map_while(|block| Some((*block, state.find(file, block)?)));
        Some(found.collect::<Vec<_>>()).filter(|found| !found.is_empty())
    }

    /// The bytes that it takes.
    pub fn taken(&self) -> Taken {
        let bytes = self.state.lock().bytes as u64;
        let of = self.budget as u64;
        Taken { bytes, of }
    }

    /// The journal file that the oldest batch was written to.
    pub fn oldest_file(&self) -> Option<u64> {
        self.state.lock().batches.front().map(|batch| batch.place.0)
    }
}

impl State {
    fn find(&self, file: u64, block: &BlockRef) -> Option<Bytes> {
        let behind = self
            .batches
            .partition_point(|batch| batch.place <= (file, block.at));
        let Batch { place, bytes } = self.batches.get(behind.checked_sub(1)?)?;
        let from = usize::try_from(block.at - place.1)
            .ok()
            .filter(|_| place.0 == file)?;
        let range = from..from.checked_add(block.size() as usize)?;
        (range.end <= bytes.len()).then(|| bytes.slice(range))
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Millis;

    use super::*;
    use crate::format::BLOCK_HEADER;

    #[test]
    fn blocks_are_found_until_newer_batches_take_their_room() {
        let size = BLOCK_HEADER + 10;
        let block = |at| BlockRef {
            first: 0,
            time: Millis(1),
            at,
            count: 1,
            length: 10,
        };
        let batch = |byte| Bytes::from(vec![byte; 2 * size]);
        let cache = TailCache::new(3 * (2 * size + limits::TAIL_BATCH_OVERHEAD));
        let second = 1000 + size as u64;
        for (file, byte) in [(1, 1), (2, 2), (3, 3)] {
            cache.keep(file, 1000, batch(byte));
        }
        let both = [block(1000), block(second)];
        for file in 1..4 {
            let found = cache.blocks(file, &both).unwrap();
            assert_eq!(found.len(), 2);
            assert!(
                found
                    .iter()
                    .all(|(_, bytes)| *bytes == vec![file as u8; size]),
                "file {file}"
            );
        }
        for (file, at) in [(1, 999), (1, second + 1), (1, 5000), (4, 1000), (0, 1000)] {
            assert!(cache.blocks(file, &[block(at)]).is_none(), "{at} of {file}");
        }
        assert_eq!(
            cache
                .blocks(1, &[block(second), block(5000)])
                .unwrap()
                .len(),
            1
        );
        cache.keep(4, 1000, batch(4));
        assert!(cache.blocks(1, &both).is_none() && cache.oldest_file() == Some(2));
        cache.keep(5, 1000, Bytes::from(vec![0; 10_000]));
        assert!(
            cache.oldest_file().is_none(),
            "a batch over the budget is not kept"
        );
    }
}
