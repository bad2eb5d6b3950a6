//! The bytes of a blob file.

use std::fmt;

use crc_fast::{CrcAlgorithm, Digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::checksum::hex;

/// Data bytes of every block but the last.
pub const BLOCK: u64 = 128 << 10;
/// Bytes before the first block.
pub const HEADER: u64 = 32;
/// Bytes after the last block.
pub const TRAILER: u64 = 12;
/// Bytes of a check.
pub const CRC: u64 = 4;

const MAGIC: [u8; 6] = *b"HWBLOB";
const VERSION: u16 = 1;

/// A blob's id: 12 random bytes, then the run that it was written in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 16]);

impl BlobId {
    /// The id that `text` is, in 32 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let lower_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if text.len() != 32 || !text.bytes().all(lower_hex) {
            return None;
        }
        u128::from_str_radix(text, 16)
            .ok()
            .map(|n| Self(n.to_be_bytes()))
    }

    /// The run that it was written in.
    pub fn run(&self) -> [u8; 4] {
        [self.0[12], self.0[13], self.0[14], self.0[15]]
    }
}

impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BlobId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlobId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom("not a blob's id"))
    }
}

/// The header of blob `id`.
pub fn header(id: BlobId) -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    bytes[..6].copy_from_slice(&MAGIC);
    bytes[6..8].copy_from_slice(&VERSION.to_le_bytes());
    bytes[8..24].copy_from_slice(&id.0);
    bytes[24..28].copy_from_slice(&(BLOCK as u32).to_le_bytes());
    let crc = crc_of(&[&bytes[..28]]);
    bytes[28..].copy_from_slice(&crc);
    bytes
}

/// Whether `bytes` is the header of blob `id`; else what is wrong with it.
pub fn check_header(bytes: &[u8; HEADER as usize], id: BlobId) -> Result<(), &'static str> {
    if bytes[..6] != MAGIC {
        Err("this is not a blob")
    } else if bytes[28..] != crc_of(&[&bytes[..28]]) {
        Err("the header's check fails")
    } else if bytes[6..8] != VERSION.to_le_bytes() || bytes[24..28] != (BLOCK as u32).to_le_bytes()
    {
        Err("the format is of a newer version: use the program that wrote it")
    } else if bytes[8..24] != id.0 {
        Err("this is another blob")
    } else {
        Ok(())
    }
}

/// The check of block `number` of blob `id`.
pub fn block_crc(id: BlobId, number: u64, data: &[u8]) -> [u8; CRC as usize] {
    crc_of(&[&id.0, &number.to_le_bytes(), data])
}

/// The trailer of blob `id` with `len` bytes of data.
pub fn trailer(id: BlobId, len: u64) -> [u8; TRAILER as usize] {
    let mut bytes = [0; TRAILER as usize];
    bytes[..8].copy_from_slice(&len.to_le_bytes());
    bytes[8..].copy_from_slice(&crc_of(&[&id.0, &len.to_le_bytes()]));
    bytes
}

/// Where block `number` starts in the file.
pub fn block_offset(number: u64) -> u64 {
    HEADER + number * (BLOCK + CRC)
}

/// Bytes of data in block `number` of a blob of `len` bytes.
pub fn block_len(number: u64, len: u64) -> u64 {
    BLOCK.min(len - number * BLOCK)
}

/// Where the trailer starts in the file of a blob of `len` bytes.
pub fn trailer_offset(len: u64) -> u64 {
    HEADER + len + len.div_ceil(BLOCK) * CRC
}

fn crc_of(parts: &[&[u8]]) -> [u8; 4] {
    let mut digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
    parts.iter().for_each(|part| digest.update(part));
    (digest.finalize() as u32).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sizes_and_places_are_those_of_the_document() {
        assert_eq!(block_offset(2), 32 + 2 * 131_076);
        assert_eq!(trailer_offset(0), 32);
        assert_eq!(trailer_offset(BLOCK), 32 + 131_076);
        assert_eq!(trailer_offset(BLOCK + 1), 32 + 131_076 + 5);
        assert_eq!(block_len(1, BLOCK + 7), 7);
    }

    proptest! {
        #[test]
        fn ids_are_32_digits_and_come_back(bytes: [u8; 16]) {
            prop_assert_eq!(BlobId::parse(&BlobId(bytes).to_string()), Some(BlobId(bytes)));
        }

        #[test]
        fn arbitrary_texts_and_headers_never_panic(text in ".*", bytes: [u8; 32], id: [u8; 16]) {
            BlobId::parse(&text);
            prop_assert!(check_header(&bytes, BlobId(id)).is_err());
        }

        #[test]
        fn a_flipped_bit_in_a_header_is_found(id: [u8; 16], bit in 0..256usize) {
            let mut bytes = header(BlobId(id));
            prop_assert!(check_header(&bytes, BlobId(id)).is_ok());
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(check_header(&bytes, BlobId(id)).is_err());
        }
    }
}
