//! The log's headers, byte for byte as `docs/format/log.md` says; the index of sealed files is in `index`.
//!
//! Pure: bytes in, values out. Parsing takes any bytes and answers with what is wrong with them.

use headwater_types::Millis;

/// Bytes of a file's header.
pub const FILE_HEADER: usize = 64;
/// Bytes of a frame's header.
pub const FRAME_HEADER: usize = 36;
/// Bytes of a block's header.
pub const BLOCK_HEADER: usize = 44;

const FILE_MAGIC: &[u8; 8] = b"HEADWLOG";
const VERSION: u16 = 1;
const UNSYNCED: u16 = 1;

/// The first bytes of a frame's header.
pub const FRAME_MAGIC: &[u8; 4] = b"HWFR";

/// The fault of some bytes.
pub type Fault = &'static str;

/// CRC-32C.
pub fn crc(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The `u32` at `at`.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("a slice of four"))
}

/// The `u64` at `at`.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("a slice of eight"))
}

/// Writes `value` at `at`.
pub fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Writes `value` at `at`.
pub fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

/// Puts the crc of all but the last four bytes into these.
pub fn put_crc(bytes: &mut [u8]) {
    let at = bytes.len() - 4;
    let sum = crc(&bytes[..at]);
    put_u32(bytes, at, sum);
}

/// Whether the last four bytes are the crc of the rest.
pub fn crc_holds(bytes: &[u8]) -> bool {
    let at = bytes.len() - 4;
    crc(&bytes[..at]) == u32_at(bytes, at)
}

/// The header of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileHeader {
    /// Written without syncs.
    pub unsynced: bool,
    /// 0 for a journal file, more for a rewrite.
    pub generation: u32,
    /// Random, made for this file.
    pub salt: u64,
    /// The file's place among the others.
    pub sequence: u64,
    /// The commit number of the first frame.
    pub first_commit: u64,
}

impl FileHeader {
    /// As bytes.
    pub fn encode(&self) -> [u8; FILE_HEADER] {
        let mut b = [0; FILE_HEADER];
        b[..8].copy_from_slice(FILE_MAGIC);
        b[8..10].copy_from_slice(&VERSION.to_le_bytes());
        b[10..12].copy_from_slice(&(if self.unsynced { UNSYNCED } else { 0 }).to_le_bytes());
        put_u32(&mut b, 12, self.generation);
        put_u64(&mut b, 16, self.salt);
        put_u64(&mut b, 24, self.sequence);
        put_u64(&mut b, 32, self.first_commit);
        put_crc(&mut b);
        b
    }

    /// From bytes.
    pub fn parse(b: &[u8; FILE_HEADER]) -> Result<Self, Fault> {
        let flags = u16::from_le_bytes([b[10], b[11]]);
        if &b[..8] != FILE_MAGIC {
            return Err("this is not a log file");
        }
        if !crc_holds(b) {
            return Err("the file header's checksum is wrong");
        }
        if u16::from_le_bytes([b[8], b[9]]) != VERSION {
            return Err(
                "the file has another format version: it takes another version of this program",
            );
        }
        if flags & !UNSYNCED != 0 || b[40..60].iter().any(|&b| b != 0) {
            return Err("the file header's reserved bytes are not zero");
        }
        Ok(Self {
            unsynced: flags & UNSYNCED != 0,
            generation: u32_at(b, 12),
            salt: u64_at(b, 16),
            sequence: u64_at(b, 24),
            first_commit: u64_at(b, 32),
        })
    }
}

/// The header of one commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// How many blocks follow.
    pub blocks: u32,
    /// The file's salt.
    pub salt: u64,
    /// The commit's number.
    pub commit: u64,
    /// Bytes of all blocks.
    pub length: u64,
}

impl FrameHeader {
    /// As bytes.
    pub fn encode(&self) -> [u8; FRAME_HEADER] {
        let mut b = [0; FRAME_HEADER];
        b[..4].copy_from_slice(FRAME_MAGIC);
        put_u32(&mut b, 4, self.blocks);
        put_u64(&mut b, 8, self.salt);
        put_u64(&mut b, 16, self.commit);
        put_u64(&mut b, 24, self.length);
        put_crc(&mut b);
        b
    }

    /// From bytes; a frame of a file with another salt is none.
    pub fn parse(b: &[u8; FRAME_HEADER], salt: u64) -> Result<Self, Fault> {
        if &b[..4] != FRAME_MAGIC {
            return Err("no frame begins here");
        }
        if !crc_holds(b) {
            return Err("the frame header's checksum is wrong");
        }
        if u64_at(b, 8) != salt {
            return Err("the frame belongs to another file");
        }
        Ok(Self {
            blocks: u32_at(b, 4),
            salt,
            commit: u64_at(b, 16),
            length: u64_at(b, 24),
        })
    }
}

/// The kinds of blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Records.
    Records,
    /// The shard ends here.
    Seal,
}

/// The header of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// Its kind.
    pub kind: Kind,
    /// Number of records.
    pub count: u32,
    /// The number of the shard that it belongs to.
    pub shard: u64,
    /// The offset of the first record.
    pub first: u64,
    /// When they were appended.
    pub time: Millis,
    /// Bytes of the records.
    pub length: u32,
    /// Their checksum.
    pub body_crc: u32,
}

impl BlockHeader {
    /// As bytes.
    pub fn encode(&self) -> [u8; BLOCK_HEADER] {
        let mut b = [0; BLOCK_HEADER];
        b[0] = match self.kind {
            Kind::Records => 1,
            Kind::Seal => 2,
        };
        put_u32(&mut b, 4, self.count);
        put_u64(&mut b, 8, self.shard);
        put_u64(&mut b, 16, self.first);
        put_u64(&mut b, 24, self.time.0);
        put_u32(&mut b, 32, self.length);
        put_u32(&mut b, 36, self.body_crc);
        put_crc(&mut b);
        b
    }

    /// From bytes.
    pub fn parse(b: &[u8; BLOCK_HEADER]) -> Result<Self, Fault> {
        if !crc_holds(b) {
            return Err("the block header's checksum is wrong");
        }
        let (count, length, first) = (u32_at(b, 4), u32_at(b, 32), u64_at(b, 16));
        let kind = match (b[0], &b[1..4]) {
            (1, [0, 0, 0]) if count > 0 && first.checked_add(u64::from(count)).is_some() => {
                Kind::Records
            }
            (2, [0, 0, 0]) if count == 0 && length == 0 => Kind::Seal,
            _ => return Err("the block header says what no block can be"),
        };
        let (shard, time, body_crc) = (u64_at(b, 8), Millis(u64_at(b, 24)), u32_at(b, 36));
        Ok(Self {
            kind,
            count,
            shard,
            first,
            time,
            length,
            body_crc,
        })
    }

    /// One past the last record's offset.
    pub fn end(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    /// Bytes of the whole block.
    pub fn size(&self) -> u64 {
        BLOCK_HEADER as u64 + u64::from(self.length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn headers_survive_and_any_flipped_bit_is_noticed(
            (a, b, c, d) in any::<(u64, u64, u64, u64)>(), (e, f) in any::<(u32, u32)>(), bit in 0usize..36 * 8,
        ) {
            let file = FileHeader { unsynced: e % 2 == 0, generation: f, salt: a, sequence: b, first_commit: c };
            let frame = FrameHeader { blocks: e, salt: a, commit: b, length: d };
            let first = b >> 1;
            let block = BlockHeader {
                kind: Kind::Records, count: e.max(1), shard: a, first, time: Millis(c), length: f, body_crc: e,
            };
            let seal = BlockHeader { kind: Kind::Seal, count: 0, length: 0, ..block };
            let (mut w, mut x, mut y) = (file.encode(), frame.encode(), block.encode());
            prop_assert_eq!(FileHeader::parse(&w), Ok(file));
            prop_assert_eq!(FrameHeader::parse(&x, a), Ok(frame));
            prop_assert_eq!(BlockHeader::parse(&y), Ok(block));
            prop_assert_eq!(BlockHeader::parse(&seal.encode()), Ok(seal));
            prop_assert!(FrameHeader::parse(&x, !a).is_err());
            for bytes in [&mut w[..], &mut x[..], &mut y[..]] {
                bytes[bit / 8] ^= 1 << (bit % 8);
            }
            prop_assert!(FileHeader::parse(&w).is_err());
            prop_assert!(FrameHeader::parse(&x, a).is_err());
            prop_assert!(BlockHeader::parse(&y).is_err());
        }

        #[test]
        fn any_bytes_are_taken(mut file: [u8; 32], frame: [u8; 32], sealed: bool) {
            let mut bytes = [0; FILE_HEADER];
            bytes[8..40].copy_from_slice(&file);
            let _ = FileHeader::parse(&bytes);
            let mut bytes = [0; FRAME_HEADER];
            bytes[..32].copy_from_slice(&frame);
            put_crc(&mut bytes);
            let _ = FrameHeader::parse(&bytes, 0);
            file[0] = if sealed { 2 } else { 1 };
            let mut bytes = [0; BLOCK_HEADER];
            bytes[..32].copy_from_slice(&file);
            put_crc(&mut bytes);
            let _ = BlockHeader::parse(&bytes);
        }
    }
}
