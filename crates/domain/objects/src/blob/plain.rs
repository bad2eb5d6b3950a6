//! The bytes of a blob file, version 1: plain blocks. No blob is written like this any more; those that were are read.

use super::{
    format::{SEGMENT, crc_of},
    id::BlobId,
};

/// The version in the header.
pub const VERSION: u16 = 1;
/// Data bytes of every block but the last: as many as of a segment.
pub const BLOCK: u64 = SEGMENT;
/// Bytes before the first block.
pub const HEADER: u64 = 32;
/// Bytes after the last block.
pub const TRAILER: u64 = 12;
/// Bytes of a check.
pub const CRC: u64 = 4;

/// Whether `bytes`, which begin as a blob of this version does, are the header of blob `id`; or else what is wrong.
pub fn check_header(bytes: &[u8; HEADER as usize], id: BlobId) -> Result<(), &'static str> {
    if bytes[28..] != crc_of(&[&bytes[..28]]) {
        Err("the header's check fails")
    } else if bytes[24..28] != (BLOCK as u32).to_le_bytes() {
        Err("the blocks are of another size: use the program that wrote it")
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

/// The trailer of blob `id` with `size` bytes of data.
pub fn trailer(id: BlobId, size: u64) -> [u8; TRAILER as usize] {
    let mut bytes = [0; TRAILER as usize];
    bytes[..8].copy_from_slice(&size.to_le_bytes());
    bytes[8..].copy_from_slice(&crc_of(&[&id.0, &size.to_le_bytes()]));
    bytes
}

/// Where block `number` starts in the file.
pub fn block_offset(number: u64) -> u64 {
    HEADER + number * (BLOCK + CRC)
}

/// Where the trailer starts in the file of a blob of `size` bytes.
pub fn trailer_offset(size: u64) -> u64 {
    HEADER + size + size.div_ceil(BLOCK) * CRC
}

/// The file of blob `id` with these bytes of data, as it was written before version 2.
#[cfg(test)]
pub fn file(id: BlobId, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"HWBLOB\x01\x00".to_vec();
    bytes.extend(id.0);
    bytes.extend((BLOCK as u32).to_le_bytes());
    bytes.extend(crc_of(&[&bytes]));
    for (number, block) in (0..).zip(data.chunks(BLOCK as usize)) {
        bytes.extend(block);
        bytes.extend(block_crc(id, number, block));
    }
    bytes.extend(trailer(id, data.len() as u64));
    bytes
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
    }

    #[test]
    fn a_file_is_just_as_it_was_written_before_version_2() {
        let expected = [
            &b"HWBLOB\x01\x00"[..],
            &[7; 16],
            &[0, 0, 2, 0],
            &[0x4c, 0xbe, 0x59, 0x81],
            b"hello",
            &[0xd3, 0x71, 0x04, 0x26],
            &[5, 0, 0, 0, 0, 0, 0, 0],
            &[0xa3, 0x36, 0x27, 0x35],
        ];
        assert_eq!(file(BlobId([7; 16]), b"hello"), expected.concat());
    }

    proptest! {
        #[test]
        fn arbitrary_headers_never_panic(bytes: [u8; 32], id: [u8; 16]) {
            prop_assert!(check_header(&bytes, BlobId(id)).is_err());
        }
    }
}
