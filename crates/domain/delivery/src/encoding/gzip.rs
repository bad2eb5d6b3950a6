//! One GZIP file of blocks that are compressed by themselves, so that several are at once.
//!
//! As `pigz` makes it: a block knows the 32 KiB before it, which deflate may refer to, and ends at a whole byte, so
//! that blocks one behind the other are one deflate stream (RFC 1951); the checksums of blocks combine. It is one
//! member of one file (RFC 1952), which every reader takes.

use bytes::Bytes;
use flate2::{Compress, Compression, Crc, FlushCompress};

use crate::limits::GZIP_BLOCK_BYTES;

/// A member's first bytes: the magic, deflate, no flags, no time, no hint, no system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block with nothing in it.
const LAST_BLOCK: [u8; 2] = [3, 0];
/// How far back deflate refers.
const WINDOW_BYTES: usize = 32 * 1024;

/// A file that is being made.
#[derive(Default)]
pub struct Gzip {
    is_begun: bool,
    /// The checksum of all blocks that were joined.
    crc: Crc,
    /// The text before the next block.
    window: Bytes,
}

/// Text on its way into the file.
pub struct Block {
    text: Bytes,
    window: Bytes,
}

/// A compressed block.
pub struct Packed {
    bytes: Vec<u8>,
    crc: Crc,
}

impl Gzip {
    /// Cuts the text that comes next into blocks.
    pub fn cut(&mut self, text: &Bytes) -> Vec<Block> {
        let block = |from: usize| {
            let window = match from {
                0 => self.window.clone(),
                _ => text.slice(from.saturating_sub(WINDOW_BYTES)..from),
            };
            Block {
                text: text.slice(from..text.len().min(from + GZIP_BLOCK_BYTES)),
                window,
            }
        };
        let blocks = (0..text.len())
            .step_by(GZIP_BLOCK_BYTES)
            .map(block)
            .collect();
        // A copy, which does not hold on to all of the text.
        let window = [
            &self.window[..],
            &text[text.len().saturating_sub(WINDOW_BYTES)..],
        ]
        .concat();
        self.window = Bytes::copy_from_slice(&window[window.len().saturating_sub(WINDOW_BYTES)..]);
        blocks
    }

    /// Appends blocks, in the order in which they were cut: what the file has more.
    pub fn join(&mut self, blocks: &[Packed]) -> Bytes {
        let mut out = match std::mem::replace(&mut self.is_begun, true) {
            true => Vec::new(),
            false => HEADER.to_vec(),
        };
        for block in blocks {
            self.crc.combine(&block.crc);
            out.extend_from_slice(&block.bytes);
        }
        out.into()
    }

    /// The last bytes.
    pub fn end(&mut self) -> Bytes {
        let start = self.join(&[]);
        [
            &start[..],
            &LAST_BLOCK,
            &self.crc.sum().to_le_bytes(),
            &self.crc.amount().to_le_bytes(),
        ]
        .concat()
        .into()
    }
}

impl Block {
    /// Compresses it.
    pub fn pack(&self) -> Packed {
        let mut deflate = Compress::new(Compression::default(), false);
        if !self.window.is_empty() {
            deflate
                .set_dictionary(&self.window)
                .expect("a window is no longer than windows are");
        }
        let mut bytes = Vec::with_capacity(self.text.len() + self.text.len() / 64 + 64);
        // Text is left, or there was no room for the end of it.
        while deflate.total_in() < self.text.len() as u64 || bytes.len() == bytes.capacity() {
            bytes.reserve(64);
            let rest = &self.text[deflate.total_in() as usize..];
            deflate
                .compress_vec(rest, &mut bytes, FlushCompress::Sync)
                .expect("any text is compressed");
        }
        let mut crc = Crc::new();
        crc.update(&self.text);
        Packed { bytes, crc }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use flate2::{read::GzDecoder, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    /// The file of these texts.
    fn file(texts: &[Bytes]) -> Vec<u8> {
        let mut gzip = Gzip::default();
        let mut file = Vec::new();
        for text in texts {
            let packed: Vec<Packed> = gzip.cut(text).iter().map(Block::pack).collect();
            file.extend_from_slice(&gzip.join(&packed));
        }
        file.extend_from_slice(&gzip.end());
        file
    }

    /// The text that a reader of one member finds.
    fn read(file: &[u8]) -> Vec<u8> {
        let (mut text, mut reader) = (Vec::new(), GzDecoder::new(file));
        reader.read_to_end(&mut text).unwrap();
        assert!(
            reader.into_inner().is_empty(),
            "there is more behind the member"
        );
        text
    }

    fn lines(count: usize) -> Bytes {
        (0..count)
            .map(|i| format!("{{\"trip\":{},\"fare\":{}}}\n", i * i, i % 97))
            .collect::<String>()
            .into()
    }

    #[test]
    fn blocks_are_hardly_larger_than_one_stream() {
        let text = lines(150_000);
        assert!(text.len() > 10 * GZIP_BLOCK_BYTES);
        let mut whole = GzEncoder::new(Vec::new(), Compression::default());
        whole.write_all(&text).unwrap();
        let (whole, blocks) = (whole.finish().unwrap(), file(std::slice::from_ref(&text)));
        assert_eq!(read(&blocks), text);
        assert!(
            blocks.len() < whole.len() * 101 / 100,
            "{} instead of {}",
            blocks.len(),
            whole.len()
        );
    }

    #[test]
    fn what_was_before_is_known_to_the_next_text() {
        let texts: Vec<Bytes> = (0..40).map(|_| lines(20)).collect();
        let (apart, together) = (file(&texts[..1]).len() * texts.len(), file(&texts));
        assert_eq!(read(&together), texts.concat());
        assert!(
            together.len() < apart / 4,
            "{} instead of {apart}",
            together.len()
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn any_texts_come_back(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..4),
            times in 1..300usize,
        ) {
            let texts: Vec<Bytes> = texts.into_iter().map(|text| text.repeat(times).into()).collect();
            prop_assert_eq!(read(&file(&texts)), texts.concat());
        }
    }
}
