//! Buffers of large batches that left memory, kept for those that come: memory that goes round stays in one piece, where
//! the allocator would put small things between, and grow.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use crate::limits;

/// Empty buffers, the oldest first.
#[derive(Default)]
pub struct Buffers(Mutex<VecDeque<BytesMut>>);

impl Buffers {
    /// An empty buffer with room for `len` bytes, and not for many more, since callers count `len`.
    pub fn take(&self, len: usize) -> BytesMut {
        let mut spare = self.0.lock();
        let fits = |buffer: &BytesMut| (len..=len + len / 8).contains(&buffer.capacity());
        let found = spare.iter().position(fits).and_then(|at| spare.remove(at));
        found.unwrap_or_else(|| BytesMut::with_capacity(len))
    }

    /// Keeps a buffer, unless it is small, or somebody still reads it, or there are enough.
    pub fn give(&self, bytes: Bytes) {
        if bytes.len() < limits::SPARE_LEAST_BYTES {
            return;
        }
        let Ok(mut buffer) = bytes.try_into_mut() else {
            return;
        };
        buffer.clear();
        let mut spare = self.0.lock();
        spare.push_back(buffer);
        while spare.iter().map(BytesMut::capacity).sum::<usize>() > limits::SPARE_BYTES {
            spare.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = limits::SPARE_LEAST_BYTES;

    fn filled(mut buffer: BytesMut) -> Bytes {
        buffer.resize(buffer.capacity(), 7);
        buffer.freeze()
    }

    #[test]
    fn a_buffer_comes_back_empty_once_nobody_reads_it() {
        let buffers = Buffers::default();
        let first = filled(buffers.take(LARGE));
        let address = first.as_ptr();
        let reader = first.clone();
        buffers.give(first);
        assert!(buffers.take(LARGE).as_ptr() != address, "it is read");
        buffers.give(reader);
        assert!(
            buffers.take(LARGE + 1).as_ptr() != address,
            "it is too small"
        );
        assert!(
            buffers.take(LARGE / 2).as_ptr() != address,
            "it is far too large"
        );
        let again = buffers.take(LARGE - 1);
        assert!(again.as_ptr() == address && again.is_empty());
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let buffers = Buffers::default();
        let all: Vec<_> = (0..2 * limits::SPARE_BYTES / LARGE)
            .map(|_| filled(buffers.take(LARGE)))
            .collect();
        all.into_iter().for_each(|bytes| buffers.give(bytes));
        buffers.give(filled(BytesMut::with_capacity(LARGE / 2)));
        let kept = buffers.0.lock();
        assert_eq!(
            kept.iter().map(BytesMut::capacity).sum::<usize>(),
            limits::SPARE_BYTES
        );
        assert!(kept.iter().all(|buffer| buffer.capacity() >= LARGE));
    }
}
