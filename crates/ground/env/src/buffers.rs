//! Large buffers that are reused: one that a request was read into is written into by the next.
//!
//! An allocator keeps what each thread freed, or gives it back and has the kernel clear it again; either costs more than
//! the few buffers that are used at a time. Those kept here are bounded, and all of the process's.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;

/// A buffer with room for as much goes round; a smaller one is the allocator's.
pub const LARGE: usize = 64 << 10;

/// A larger one is rare, and too large to be kept.
const LARGEST: usize = 4 << 20;

/// Bytes of memory that empty buffers may keep.
const SPARE_BYTES: usize = 24 << 20;

/// The parts of a power of two that sizes are rounded to, so that buffers fit the next of about the same size.
const STEPS: usize = 8;

/// Buffers that nobody uses, the oldest first. Their bytes are whatever was last in them.
static SPARE: Mutex<Spare> = Mutex::new(Spare {
    buffers: VecDeque::new(),
    bytes: 0,
});

struct Spare {
    buffers: VecDeque<Vec<u8>>,
    bytes: usize,
}

impl Spare {
    /// The buffer given back last that has room for `len` bytes and not for twice as many.
    fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        let fits = |buffer: &Vec<u8>| (len..2 * len).contains(&buffer.capacity());
        let at = self.buffers.iter().rposition(fits)?;
        let buffer = self.buffers.remove(at)?;
        self.bytes -= buffer.capacity();
        Some(buffer)
    }

    fn give(&mut self, buffer: Vec<u8>) {
        self.bytes += buffer.capacity();
        self.buffers.push_back(buffer);
        while self.bytes > SPARE_BYTES
            && let Some(oldest) = self.buffers.pop_front()
        {
            self.bytes -= oldest.capacity();
        }
    }
}

/// Nothing is left half done where this could be poisoned.
fn spare() -> std::sync::MutexGuard<'static, Spare> {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of memory that buffers take which nobody uses now, and those that they may.
pub fn spare_bytes() -> (usize, usize) {
    (spare().bytes, SPARE_BYTES)
}

/// An empty buffer with room for `len` bytes.
pub fn with_room(len: usize) -> Vec<u8> {
    let mut buffer = as_it_was(len);
    buffer.clear();
    buffer
}

/// A buffer of `len` bytes that mean nothing, to be read into.
pub fn of_length(len: usize) -> Vec<u8> {
    let mut buffer = as_it_was(len);
    // The part that it was longer before needs no clearing.
    buffer.resize(len, 0);
    buffer
}

fn as_it_was(len: usize) -> Vec<u8> {
    if !(LARGE..=LARGEST).contains(&len) {
        return Vec::with_capacity(len);
    }
    spare()
        .take(len)
        .unwrap_or_else(|| Vec::with_capacity(rounded(len)))
}

/// Up to an eighth more.
fn rounded(len: usize) -> usize {
    len.next_multiple_of(len.next_power_of_two() / 2 / STEPS)
}

/// Makes room for `more` bytes behind those in the buffer.
pub fn reserve(buffer: &mut Vec<u8>, more: usize) {
    let len = buffer.len() + more;
    if len <= buffer.capacity() {
        return;
    }
    let mut larger = with_room(len);
    larger.extend_from_slice(buffer);
    give(std::mem::replace(buffer, larger));
}

/// Gives a buffer back that nobody needs any more.
pub fn give(buffer: Vec<u8>) {
    if (LARGE..=LARGEST).contains(&buffer.capacity()) {
        spare().give(buffer);
    }
}

/// The buffer's bytes for any number of readers; the last gives it back.
pub fn share(buffer: Vec<u8>) -> Bytes {
    if (LARGE..=LARGEST).contains(&buffer.capacity()) {
        Bytes::from_owner(Shared(buffer))
    } else {
        buffer.into()
    }
}

struct Shared(Vec<u8>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        give(std::mem::take(&mut self.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_once_nobody_reads_it_to_who_needs_one_like_it() {
        // Sizes that no other test uses.
        const LEN: usize = 3 << 20;
        let mut first = with_room(LEN);
        first.resize(LEN, 7);
        let address = first.as_ptr();
        let bytes = share(first);
        let reader = bytes.slice(..10);
        drop(bytes);
        let meanwhile = with_room(LEN);
        assert!(meanwhile.as_ptr() != address, "it is read");
        drop(reader);
        let smaller = with_room(LEN / 2);
        assert!(smaller.as_ptr() != address, "it is far too large");
        let mut again = with_room(LEN - 5);
        assert!(again.as_ptr() == address && again.is_empty());
        again.resize(LEN - 5, 1);
        reserve(&mut again, LEN / 4);
        assert!(
            again.as_ptr() != address
                && again.len() == LEN - 5
                && again.capacity() >= LEN / 4 * 5 - 5
        );
        let longer = of_length(LEN);
        assert!(
            longer.as_ptr() == address && longer.len() == LEN,
            "it came back when another took its place"
        );
    }

    #[test]
    fn what_is_kept_is_bounded() {
        give(Vec::with_capacity(2 * LARGEST));
        assert!(spare().take(LARGEST + 1).is_none(), "it is too large");
        let mut spare = Spare {
            buffers: VecDeque::new(),
            bytes: 0,
        };
        for len in 1..40 {
            spare.give(Vec::with_capacity(len << 20));
            assert!(spare.bytes <= SPARE_BYTES);
            assert_eq!(
                spare.bytes,
                spare.buffers.iter().map(Vec::capacity).sum::<usize>()
            );
        }
        assert!(
            spare.buffers.is_empty(),
            "one that is larger than all may be is not kept"
        );
        assert!(spare.take(1).is_none());
    }

    #[test]
    fn sizes_are_rounded_a_little() {
        for len in [LARGE, LARGE + 1, 700_000, (1 << 20) + 1, 13_000_000] {
            assert!(
                (len..=len + len / 8 + 1).contains(&rounded(len)),
                "{len}: {}",
                rounded(len)
            );
        }
        assert_eq!(rounded(1 << 20), 1 << 20);
    }
}
