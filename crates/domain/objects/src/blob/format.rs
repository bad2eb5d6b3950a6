//! The bytes of a blob file, version 2: a header, and encrypted segments.

use crc_fast::{CrcAlgorithm, Digest};
use headwater_sealing::TAG_LEN;

use super::id::BlobId;

/// Data bytes of every segment but the last.
pub const SEGMENT: u64 = 128 << 10;
/// Bytes that a segment takes besides its data.
pub const TAG: u64 = TAG_LEN as u64;
/// Bytes before the first segment.
pub const HEADER: u64 = 36;

const MAGIC: [u8; 6] = *b"HWBLOB";
const VERSION: u16 = 2;

/// The header of blob `id`, encrypted under the installation's key with the id `key`.
pub fn header(id: BlobId, key: u32) -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    bytes[..6].copy_from_slice(&MAGIC);
    bytes[6..8].copy_from_slice(&VERSION.to_le_bytes());
    bytes[8..24].copy_from_slice(&id.0);
    bytes[24..28].copy_from_slice(&(SEGMENT as u32).to_le_bytes());
    bytes[28..32].copy_from_slice(&key.to_le_bytes());
    let crc = crc_of(&[&bytes[..32]]);
    bytes[32..].copy_from_slice(&crc);
    bytes
}

/// The version in the header of a blob; or else what is wrong with it.
pub fn version(bytes: &[u8; HEADER as usize]) -> Result<u16, &'static str> {
    if bytes[..6] != MAGIC {
        return Err("this is not a blob");
    }
    Ok(u16::from_le_bytes([bytes[6], bytes[7]]))
}

/// Whether `bytes` is the header of blob `id`, encrypted under `key`; or else what is wrong with it.
pub fn check_header(
    bytes: &[u8; HEADER as usize],
    id: BlobId,
    key: u32,
) -> Result<(), &'static str> {
    if version(bytes)? != VERSION {
        Err("the format is of a version that is not known here: use the program that wrote it")
    } else if bytes[32..] != crc_of(&[&bytes[..32]]) {
        Err("the header's check fails")
    } else if bytes[24..28] != (SEGMENT as u32).to_le_bytes() {
        Err("the segments are of another size: use the program that wrote it")
    } else if bytes[8..24] != id.0 {
        Err("this is another blob")
    } else if bytes[28..32] != key.to_le_bytes() {
        Err(
            "it is encrypted under another installation's key: the catalog is not the one that it was written with",
        )
    } else {
        Ok(())
    }
}

/// Where segment `number` starts in the file.
pub fn segment_offset(number: u64) -> u64 {
    HEADER + number * (SEGMENT + TAG)
}

/// Bytes of data in segment `number` of a blob of `size` bytes.
pub fn segment_len(number: u64, size: u64) -> u64 {
    SEGMENT.min(size - number * SEGMENT)
}

/// The number of the last segment of a blob of `size` bytes; an empty blob has one, too.
pub fn last_segment(size: u64) -> u64 {
    size.saturating_sub(1) / SEGMENT
}

/// Bytes of the file of a blob of `size` bytes.
pub fn file_len(size: u64) -> u64 {
    HEADER + size + (last_segment(size) + 1) * TAG
}

/// CRC-32C of `parts`, one after the other.
pub fn crc_of(parts: &[&[u8]]) -> [u8; 4] {
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
        assert_eq!(segment_offset(2), 36 + 2 * 131_088);
        assert_eq!(segment_len(1, SEGMENT + 7), 7);
        assert_eq!((last_segment(0), file_len(0)), (0, 36 + 16));
        assert_eq!(
            (last_segment(SEGMENT), file_len(SEGMENT)),
            (0, 36 + 131_088)
        );
        assert_eq!(last_segment(SEGMENT + 1), 1);
        assert_eq!(file_len(SEGMENT + 1), 36 + 131_088 + 17);
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(bytes: [u8; 36], id: [u8; 16], key: u32) {
            prop_assert!(check_header(&bytes, BlobId(id), key).is_err());
        }

        #[test]
        fn a_flipped_bit_in_a_header_is_found(id: [u8; 16], key: u32, bit in 0..288usize) {
            let mut bytes = header(BlobId(id), key);
            prop_assert!(check_header(&bytes, BlobId(id), key).is_ok());
            prop_assert!(check_header(&bytes, BlobId(id), !key).is_err());
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(check_header(&bytes, BlobId(id), key).is_err());
        }
    }
}
