//! The footer of a sealed file, byte for byte as `docs/format/log.md` says: runs, directory, trailer.
//!
//! Pure: bytes in, values out. Parsing takes any bytes and answers with what is wrong with them.

use headwater_types::Millis;

use crate::{
    block_ref::BlockRef,
    format::{Fault, crc, crc_holds, put_crc, put_u32, put_u64, u32_at, u64_at},
};

/// Bytes of a restart entry.
pub const RESTART: usize = 32;
/// Bytes of a directory entry.
pub const ENTRY: usize = 84;
/// Bytes of the trailer.
pub const TRAILER: usize = 64;

const CHUNK_BLOCKS: usize = 256;
const TRAILER_MAGIC: &[u8; 8] = b"HWTRAILR";
const SEALED: u32 = 1;

/// Where a chunk of a run begins, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restart {
    /// Offset of the first block's first record.
    pub first: u64,
    /// Its time.
    pub time: Millis,
    /// Position of the first block.
    pub position: u64,
    /// Where in the run the chunk begins.
    pub at: u32,
    /// The chunk's checksum.
    pub crc: u32,
}

/// The entry of a shard in a sealed file's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardEntry {
    /// The shard.
    pub shard: u64,
    /// Its next offset when the file began.
    pub start: u64,
    /// Its next offset when the file ended.
    pub end: u64,
    /// The first offset whose block is here; `end` when none is.
    pub kept: u64,
    /// The time of the first block here.
    pub first_time: Millis,
    /// The time of the shard's newest record before the file's end.
    pub last_time: Millis,
    /// Bytes of its blocks here.
    pub bytes: u64,
    /// Position of its run.
    pub run: u64,
    /// Bytes of its run.
    pub run_len: u32,
    /// Blocks in its run.
    pub blocks: u32,
    /// Checksum of the run's restart entries.
    pub restarts_crc: u32,
    /// Whether the shard is sealed.
    pub sealed: bool,
}

/// The end of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// The file's salt.
    pub salt: u64,
    /// Where the frames end.
    pub frames_end: u64,
    /// The last frame's number.
    pub last_commit: u64,
    /// Where the directory begins.
    pub directory: u64,
    /// Entries in the directory.
    pub shards: u64,
    /// Bytes of the blocks that the runs list.
    pub bytes: u64,
    /// Checksum of the directory.
    pub directory_crc: u32,
}

/// Adds a run to `out`; the checksum of its restart entries.
pub fn encode_run(out: &mut Vec<u8>, blocks: &[BlockRef]) -> u32 {
    let begin = out.len();
    let restarts = begin..begin + restarts_len(blocks.len());
    out.resize(restarts.end, 0);
    for (i, chunk) in blocks.chunks(CHUNK_BLOCKS).enumerate() {
        let at = out.len();
        let first = &chunk[0];
        encode_chunk(out, chunk);
        let sum = crc(&out[at..]);
        let restart = &mut out[begin + i * RESTART..begin + (i + 1) * RESTART];
        put_u64(restart, 0, first.first);
        put_u64(restart, 8, first.time.0);
        put_u64(restart, 16, first.at);
        put_u32(
            restart,
            24,
            u32::try_from(at - begin).expect("a run is far below 4 GiB"),
        );
        put_u32(restart, 28, sum);
    }
    crc(&out[restarts])
}

fn encode_chunk(out: &mut Vec<u8>, blocks: &[BlockRef]) {
    let (mut time, mut position) = (blocks[0].time.0, blocks[0].at);
    for block in blocks {
        put_varint(out, u64::from(block.count));
        put_varint(out, block.time.0 - time);
        put_varint(out, block.at - position);
        put_varint(out, u64::from(block.length));
        (time, position) = (block.time.0, block.at + block.size());
    }
}

/// Bytes of the restart entries of a run of `blocks`.
pub fn restarts_len(blocks: usize) -> usize {
    blocks.div_ceil(CHUNK_BLOCKS) * RESTART
}

/// The restart entries of a run: `bytes` are those, and nothing else.
pub fn parse_restarts(bytes: &[u8], entry: &ShardEntry) -> Result<Vec<Restart>, Fault> {
    if bytes.len() != restarts_len(entry.blocks as usize) || crc(bytes) != entry.restarts_crc {
        return Err("the index's checksum is wrong");
    }
    let restart = |b: &[u8]| Restart {
        first: u64_at(b, 0),
        time: Millis(u64_at(b, 8)),
        position: u64_at(b, 16),
        at: u32_at(b, 24),
        crc: u32_at(b, 28),
    };
    let restarts: Vec<_> = bytes.chunks_exact(RESTART).map(restart).collect();
    let mut at = bytes.len() as u32;
    for restart in &restarts {
        if restart.at < at || restart.at > entry.run_len {
            return Err("the index points outside of itself");
        }
        at = restart.at;
    }
    Ok(restarts)
}

/// Where the `i`-th chunk ends in its run, and how many blocks it has.
pub fn chunk_shape(entry: &ShardEntry, restarts: &[Restart], i: usize) -> (u32, usize) {
    let end = restarts.get(i + 1).map_or(entry.run_len, |next| next.at);
    (
        end,
        (entry.blocks as usize - i * CHUNK_BLOCKS).min(CHUNK_BLOCKS),
    )
}

/// The blocks of a chunk that has `count` of them.
pub fn parse_chunk(
    mut bytes: &[u8],
    restart: &Restart,
    count: usize,
) -> Result<Vec<BlockRef>, Fault> {
    const WRONG: Fault = "the index holds what no index can";
    if crc(bytes) != restart.crc {
        return Err("the index's checksum is wrong");
    }
    let Restart {
        mut first,
        mut time,
        position: mut at,
        ..
    } = *restart;
    let mut blocks = Vec::with_capacity(count);
    for _ in 0..count {
        let mut number = || take_varint(&mut bytes).ok_or(WRONG);
        let (records, later, gap, length) = (number()?, number()?, number()?, number()?);
        time.0 = time.0.checked_add(later).ok_or(WRONG)?;
        at = at.checked_add(gap).ok_or(WRONG)?;
        let (count, length) = (u32::try_from(records), u32::try_from(length));
        let (Ok(count), Ok(length)) = (count, length) else {
            return Err(WRONG);
        };
        let block = BlockRef {
            first,
            time,
            at,
            count,
            length,
        };
        first = first.checked_add(records).ok_or(WRONG)?;
        at = at.checked_add(block.size()).ok_or(WRONG)?;
        blocks.push(block);
    }
    if bytes.is_empty() {
        Ok(blocks)
    } else {
        Err(WRONG)
    }
}

impl ShardEntry {
    /// As bytes.
    pub fn encode(&self) -> [u8; ENTRY] {
        let mut b = [0; ENTRY];
        let numbers = [
            self.shard,
            self.start,
            self.end,
            self.kept,
            self.first_time.0,
            self.last_time.0,
            self.bytes,
            self.run,
        ];
        for (i, number) in numbers.into_iter().enumerate() {
            put_u64(&mut b, i * 8, number);
        }
        put_u32(&mut b, 64, self.run_len);
        put_u32(&mut b, 68, self.blocks);
        put_u32(&mut b, 72, self.restarts_crc);
        put_u32(&mut b, 76, if self.sealed { SEALED } else { 0 });
        put_crc(&mut b);
        b
    }

    /// From bytes.
    pub fn parse(b: &[u8; ENTRY]) -> Result<Self, Fault> {
        if !crc_holds(b) {
            return Err("the directory entry's checksum is wrong");
        }
        let entry = Self {
            shard: u64_at(b, 0),
            start: u64_at(b, 8),
            end: u64_at(b, 16),
            kept: u64_at(b, 24),
            first_time: Millis(u64_at(b, 32)),
            last_time: Millis(u64_at(b, 40)),
            bytes: u64_at(b, 48),
            run: u64_at(b, 56),
            run_len: u32_at(b, 64),
            blocks: u32_at(b, 68),
            restarts_crc: u32_at(b, 72),
            sealed: u32_at(b, 76) == SEALED,
        };
        let is_ordered = entry.start <= entry.kept && entry.kept <= entry.end;
        let has_room = restarts_len(entry.blocks as usize) <= entry.run_len as usize;
        let agrees = (entry.blocks > 0) == (entry.kept < entry.end);
        if !is_ordered || !has_room || !agrees || u32_at(b, 76) & !SEALED != 0 {
            return Err("the directory entry says what no entry can");
        }
        Ok(entry)
    }
}

impl Trailer {
    /// As bytes.
    pub fn encode(&self) -> [u8; TRAILER] {
        let mut b = [0; TRAILER];
        b[..8].copy_from_slice(TRAILER_MAGIC);
        put_u64(&mut b, 8, self.salt);
        put_u64(&mut b, 16, self.frames_end);
        put_u64(&mut b, 24, self.last_commit);
        put_u64(&mut b, 32, self.directory);
        put_u64(&mut b, 40, self.shards);
        put_u64(&mut b, 48, self.bytes);
        put_u32(&mut b, 56, self.directory_crc);
        put_crc(&mut b);
        b
    }

    /// From the last bytes of a file of `len` bytes.
    pub fn parse(b: &[u8; TRAILER], salt: u64, len: u64) -> Result<Self, Fault> {
        if &b[..8] != TRAILER_MAGIC {
            return Err("the file does not end with a trailer");
        }
        if !crc_holds(b) {
            return Err("the trailer's checksum is wrong");
        }
        let trailer = Self {
            salt: u64_at(b, 8),
            frames_end: u64_at(b, 16),
            last_commit: u64_at(b, 24),
            directory: u64_at(b, 32),
            shards: u64_at(b, 40),
            bytes: u64_at(b, 48),
            directory_crc: u32_at(b, 56),
        };
        let entries = trailer.shards.checked_mul(ENTRY as u64);
        let fills = entries.and_then(|n| {
            n.checked_add(trailer.directory)?
                .checked_add(TRAILER as u64)
        }) == Some(len);
        if trailer.salt != salt || !fills || trailer.frames_end > trailer.directory {
            return Err("the trailer is another file's");
        }
        Ok(trailer)
    }
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if bits << shift >> shift != bits {
            return None;
        }
        value |= bits << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blocks(steps: &[(u32, u64, u64, u32)]) -> Vec<BlockRef> {
        let (mut first, mut time, mut at) = (3, Millis(1000), 64);
        let block = |&(count, later, gap, length): &(u32, u64, u64, u32)| {
            time.0 += later;
            at += gap;
            let block = BlockRef {
                first,
                time,
                at,
                count,
                length,
            };
            (first, at) = (block.end(), at + block.size());
            block
        };
        steps.iter().map(block).collect()
    }

    fn entry(blocks: u32, run_len: usize, restarts_crc: u32) -> ShardEntry {
        let (run_len, time) = (run_len as u32, Millis(5));
        ShardEntry {
            shard: 1,
            start: 1,
            end: 9,
            kept: if blocks == 0 { 9 } else { 2 },
            first_time: time,
            last_time: time,
            bytes: 7,
            run: 99,
            run_len,
            blocks,
            restarts_crc,
            sealed: true,
        }
    }

    proptest! {
        #[test]
        fn a_run_survives(
            steps in prop::collection::vec((1u32..1000, 0u64..1 << 40, 0u64..1 << 20, 1u32..1 << 20), 1..700),
        ) {
            let blocks = blocks(&steps);
            let mut runs = vec![7; 5];
            let sum = encode_run(&mut runs, &blocks);
            let run = &runs[5..];
            let entry = entry(blocks.len() as u32, run.len(), sum);
            let restarts = parse_restarts(&run[..restarts_len(blocks.len())], &entry).unwrap();
            let mut back = Vec::new();
            for (i, restart) in restarts.iter().enumerate() {
                let (end, count) = chunk_shape(&entry, &restarts, i);
                let chunk = &run[restart.at as usize..end as usize];
                back.extend(parse_chunk(chunk, restart, count).unwrap());
            }
            prop_assert_eq!(back, blocks);
            prop_assert_eq!(ShardEntry::parse(&entry.encode()), Ok(entry));
        }

        #[test]
        fn any_bytes_are_taken(mut bytes in prop::collection::vec(any::<u8>(), 128), count in 0usize..300, len: u64) {
            let restart = Restart { first: u64::MAX, time: Millis(9), position: 1, at: 0, crc: crc(&bytes) };
            let _ = parse_chunk(&bytes, &restart, count);
            let _ = parse_restarts(&bytes, &entry(4 * 256, 4, crc(&bytes)));
            put_crc(&mut bytes[..ENTRY]);
            let _ = ShardEntry::parse(bytes[..ENTRY].try_into().unwrap());
            bytes[..8].copy_from_slice(TRAILER_MAGIC);
            put_crc(&mut bytes[..TRAILER]);
            let salt = u64_at(&bytes, 8);
            let _ = Trailer::parse(bytes[..TRAILER].try_into().unwrap(), salt, len);
        }
    }
}
