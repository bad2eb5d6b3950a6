//! The tail cache: the newest blocks of all shards within one budget of bytes, the oldest dropped first.
//!
//! The bytes themselves hang on their shards; here is only who holds the oldest.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;

use crate::{limits, shard::Shard};

/// Which blocks are cached, from the oldest on.
pub struct TailCache {
    budget: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: VecDeque<(Arc<Shard>, usize)>,
    bytes: usize,
}

impl TailCache {
    /// A cache that holds at most `budget` bytes.
    pub fn new(budget: usize) -> Self {
        Self { budget, state: Mutex::default() }
    }

    /// Notes that `shard` holds a block of `size` bytes more, and drops the oldest until all fit.
    pub fn hold(&self, shard: &Arc<Shard>, size: usize, sealed_through: u64) {
        let size = size + limits::TAIL_BLOCK_OVERHEAD;
        let mut state = self.state.lock();
        state.held.push_back((shard.clone(), size));
        state.bytes += size;
        while state.bytes > self.budget
            && let Some((shard, size)) = state.held.pop_front()
        {
            state.bytes -= size;
            shard.tail.lock().evict(sealed_through);
        }
    }
}
