//! Where blocks are, without their bytes: what shards, indexes and readers tell each other.

use headwater_types::Millis;

use crate::format::{BLOCK_HEADER, BlockHeader};

/// A block within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRef {
    /// The offset of its first record.
    pub first: u64,
    /// Its records' time.
    pub time: Millis,
    /// Where its header is.
    pub at: u64,
    /// Number of its records.
    pub count: u32,
    /// Bytes of its records.
    pub length: u32,
}

impl BlockRef {
    /// One past the last record's offset.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Bytes of the whole block.
    pub fn size(&self) -> u64 {
        BLOCK_HEADER as u64 + u64::from(self.length)
    }

    /// Where the block `header` is, which stands at `at`.
    pub fn new(header: &BlockHeader, at: u64) -> Self {
        let BlockHeader {
            first,
            time,
            count,
            length,
            ..
        } = *header;
        Self {
            first,
            time,
            at,
            count,
            length,
        }
    }
}

/// The first record of a block, and its time.
#[derive(Debug, Clone, Copy)]
pub struct Trim {
    /// The record's offset.
    pub first: u64,
    /// Its time.
    pub time: Millis,
}

/// How much of the blocks that follow each other is wanted.
pub struct Wanted {
    records: usize,
    bytes: usize,
}

impl Wanted {
    /// So much from `from` on, which is in `block`.
    pub fn from(block: BlockRef, from: u64, records: usize, bytes: usize) -> Self {
        // Of the first block a part may be skipped: as much is wanted in addition.
        let skipped = (from - block.first) as usize;
        Self {
            records: records.max(1).saturating_add(skipped),
            bytes: bytes.saturating_add(block.length as usize),
        }
    }

    /// The items that cover it: at least the first.
    pub fn take<T>(
        mut self,
        items: impl Iterator<Item = T>,
        block: impl Fn(&T) -> BlockRef,
    ) -> Vec<T> {
        let mut taken = Vec::new();
        for item in items {
            let BlockRef { count, length, .. } = block(&item);
            self.records = self.records.saturating_sub(count as usize);
            self.bytes = self.bytes.saturating_sub(length as usize);
            taken.push(item);
            if self.records == 0 || self.bytes == 0 {
                break;
            }
        }
        taken
    }
}
