//! Blocks of records: encoding a batch into one buffer, and reading records out of a block.
//!
//! A batch is encoded and its bodies are checksummed before anything is locked; what only the committer's order
//! decides (offsets and time) is filled in afterwards, in place.

use bytes::{Bytes, BytesMut};

use crate::{
    api::{Append, NewRecord, Record},
    format::{BLOCK_HEADER, BlockHeader, Fault, crc, u32_at},
    limits,
};

/// Bytes before a record's key.
const RECORD_HEADER: usize = 6;

/// A batch as bytes, all but its block headers.
pub struct Draft {
    /// Blocks, one behind the other, each with room for its header.
    pub bytes: BytesMut,
    /// The blocks.
    pub blocks: Vec<DraftBlock>,
}

/// A block whose header is yet to be written.
#[derive(Debug, Clone, Copy)]
pub struct DraftBlock {
    /// The index of the append in the batch that it belongs to.
    pub append: usize,
    /// Where in the buffer its header goes.
    pub at: usize,
    /// Number of records.
    pub count: u32,
    /// Bytes of the records.
    pub length: u32,
    /// Their checksum.
    pub body_crc: u32,
}

/// The bytes that `batch` takes in memory and on disk, headers roughly included.
pub fn encoded_len(batch: &[Append<'_>]) -> usize {
    let record = |r: &NewRecord<'_>| RECORD_HEADER + r.key.len() + r.value.len();
    let append = |a: &Append<'_>| {
        let body: usize = a.records.iter().map(record).sum();
        body + (body / limits::BLOCK_BYTES + 1) * BLOCK_HEADER
    };
    batch.iter().map(append).sum()
}

/// Encodes a batch into an empty buffer with room for [`encoded_len`].
///
/// # Panics
/// When a key or a value is longer than the limits say: callers have checked that.
pub fn encode(batch: &[Append<'_>], buffer: BytesMut) -> Draft {
    let mut draft = Draft {
        bytes: buffer,
        blocks: Vec::with_capacity(batch.len()),
    };
    for (append, Append { records, .. }) in batch.iter().enumerate() {
        let mut rest = *records;
        while !rest.is_empty() {
            let taken = encode_block(&mut draft, append, rest);
            rest = &rest[taken..];
        }
    }
    draft
}

/// Adds one block of the first of `records`; how many it took.
fn encode_block(draft: &mut Draft, append: usize, records: &[NewRecord<'_>]) -> usize {
    let at = draft.bytes.len();
    draft.bytes.resize(at + BLOCK_HEADER, 0);
    let body = at + BLOCK_HEADER;
    let mut count = 0;
    while count < records.len() && draft.bytes.len() - body < limits::BLOCK_BYTES {
        encode_record(&mut draft.bytes, &records[count]);
        count += 1;
    }
    let body = &draft.bytes[body..];
    let length = u32::try_from(body.len()).expect("one record over the block's size at the most");
    let body_crc = crc(body);
    draft.blocks.push(DraftBlock {
        append,
        at,
        count: count as u32,
        length,
        body_crc,
    });
    count
}

fn encode_record(bytes: &mut BytesMut, NewRecord { key, value }: &NewRecord<'_>) {
    assert!(
        key.len() <= limits::KEY_BYTES && value.len() <= limits::VALUE_BYTES,
        "the record is over the limits"
    );
    bytes.extend_from_slice(&(key.len() as u16).to_le_bytes());
    bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(key);
    bytes.extend_from_slice(value);
}

/// The records of one block; keys and values are slices of it, nothing is copied.
pub struct Records {
    body: Bytes,
    at: usize,
    next: u64,
    header: BlockHeader,
}

impl Records {
    /// The records of the block `header` whose body is `body`.
    pub fn new(header: BlockHeader, body: Bytes) -> Self {
        Self {
            body,
            at: 0,
            next: header.first,
            header,
        }
    }

    /// Whether all records were taken and nothing is left.
    pub fn is_exhausted(&self) -> bool {
        self.at == self.body.len() && self.next == self.header.end()
    }

    /// Passes over the records before `offset` without making them.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), Fault> {
        while self.next < offset.min(self.header.end()) {
            self.at = self.bounds()?.2;
            self.next += 1;
        }
        Ok(())
    }

    /// Where the next record's key begins, its value begins, and it ends.
    fn bounds(&self) -> Result<(usize, usize, usize), Fault> {
        let rest = &self.body[self.at..];
        if rest.len() < RECORD_HEADER {
            return Err("a block has fewer records than it says");
        }
        let key = self.at + RECORD_HEADER;
        let value = key + usize::from(u16::from_le_bytes([rest[0], rest[1]]));
        let end = value + u32_at(rest, 2) as usize;
        if end > self.body.len() {
            return Err("a record reaches past its block");
        }
        Ok((key, value, end))
    }
}

impl Iterator for Records {
    type Item = Result<Record, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == self.header.end() {
            return None;
        }
        let record = self.bounds().map(|(key, value, end)| {
            let (key, value) = (self.body.slice(key..value), self.body.slice(value..end));
            let record = Record {
                offset: self.next,
                time: self.header.time,
                key,
                value,
            };
            self.at = end;
            self.next += 1;
            record
        });
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use headwater_types::Millis;
    use proptest::prelude::*;

    use super::*;
    use crate::{api::ShardNumber, format::Kind};

    fn header(first: u64, block: &DraftBlock) -> BlockHeader {
        let DraftBlock {
            count,
            length,
            body_crc,
            ..
        } = *block;
        BlockHeader {
            kind: Kind::Records,
            count,
            shard: 1,
            first,
            time: Millis(9),
            length,
            body_crc,
        }
    }

    #[test]
    fn a_long_append_becomes_several_blocks_and_comes_back_whole() {
        let values: Vec<_> = (0..50).map(|i| vec![i; 10_000]).collect();
        let records: Vec<_> = values
            .iter()
            .map(|value| NewRecord {
                key: &value[..3],
                value: &value[..],
            })
            .collect();
        let batch = [Append {
            shard: ShardNumber(1),
            records: &records,
        }];
        let Draft { bytes, blocks } = encode(&batch, BytesMut::new());
        assert!(blocks.len() > 3 && bytes.len() <= encoded_len(&batch));
        let bytes = bytes.freeze();
        let mut back = Vec::new();
        for block in &blocks {
            let body = block.at + BLOCK_HEADER..block.at + BLOCK_HEADER + block.length as usize;
            let mut found = Records::new(header(back.len() as u64, block), bytes.slice(body));
            back.extend(found.by_ref().map(Result::unwrap));
            assert!(found.is_exhausted());
        }
        assert!(
            back.iter()
                .zip(&records)
                .all(|(b, r)| b.key == r.key && b.value == r.value)
        );
        assert_eq!(
            back.iter().map(|r| r.offset).collect::<Vec<_>>(),
            (0..50).collect::<Vec<_>>()
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(body: Vec<u8>, count in 1u32..20, from: u64) {
            let block = DraftBlock { append: 0, at: 0, count, length: body.len() as u32, body_crc: 0 };
            let mut records = Records::new(header(5, &block), body.into());
            let _ = records.skip_to(from);
            for record in records.by_ref().take(50) {
                if record.is_err() {
                    break;
                }
            }
        }
    }
}
