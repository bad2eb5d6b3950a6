//! A stream of a stripe: bytes in compressed chunks, and where each row group begins in them.

use std::io::Write;

use flate2::{Compression, write::DeflateEncoder};

use crate::settings::OrcCompression;

/// Bytes of a chunk before compression.
pub(super) const CHUNK: usize = 256 * 1024;

/// A stream that grows.
pub(super) struct Stream {
    compression: OrcCompression,
    written: Vec<u8>,
    /// Bytes that are not yet a chunk.
    pending: Vec<u8>,
    /// Where each row group begins, as the row index has it.
    pub positions: Vec<Vec<u64>>,
}

impl Stream {
    pub fn new(compression: OrcCompression) -> Self {
        Self {
            compression,
            written: Vec::new(),
            pending: Vec::new(),
            positions: Vec::new(),
        }
    }

    /// Begins a row group; `within` is where it begins in what is written next.
    pub fn begin_group(&mut self, within: &[u64]) {
        let mut position = match self.compression {
            OrcCompression::None => vec![self.written.len() as u64],
            _ => vec![self.written.len() as u64, self.pending.len() as u64],
        };
        position.extend_from_slice(within);
        self.positions.push(position);
    }

    pub fn write(&mut self, mut bytes: &[u8]) {
        if self.compression == OrcCompression::None {
            self.written.extend_from_slice(bytes);
            return;
        }
        while !bytes.is_empty() {
            let fits = bytes.len().min(CHUNK - self.pending.len());
            self.pending.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
            if self.pending.len() == CHUNK {
                self.end_chunk();
            }
        }
    }

    fn end_chunk(&mut self) {
        if !self.pending.is_empty() {
            chunk(self.compression, &self.pending, &mut self.written);
            self.pending.clear();
        }
    }

    /// All bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.end_chunk();
        self.written
    }
}

/// Bytes as one or more chunks.
pub(super) fn compressed(compression: OrcCompression, bytes: &[u8]) -> Vec<u8> {
    let mut stream = Stream::new(compression);
    stream.write(bytes);
    stream.finish()
}

/// A chunk: three bytes of its length and whether it is as it was, and its bytes.
fn chunk(compression: OrcCompression, bytes: &[u8], out: &mut Vec<u8>) {
    let smaller = match compression {
        OrcCompression::None => None,
        OrcCompression::Zlib => deflated(bytes),
        OrcCompression::Snappy => snap::raw::Encoder::new().compress_vec(bytes).ok(),
    };
    let smaller = smaller.filter(|smaller| smaller.len() < bytes.len());
    let original = u32::from(smaller.is_none());
    let body = smaller.as_deref().unwrap_or(bytes);
    out.extend_from_slice(&((body.len() as u32) << 1 | original).to_le_bytes()[..3]);
    out.extend_from_slice(body);
}

fn deflated(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_that_do_not_shrink_stay_as_they_were() {
        assert_eq!(
            compressed(OrcCompression::Zlib, b"abc"),
            [7, 0, 0, b'a', b'b', b'c']
        );
        let long = compressed(OrcCompression::Snappy, &[0; 1000]);
        assert_eq!(long[0] & 1, 0);
        assert!(long.len() < 100);
    }

    #[test]
    fn a_group_begins_at_a_chunk_and_in_it() {
        let mut stream = Stream::new(OrcCompression::Snappy);
        stream.begin_group(&[]);
        stream.write(&[1; CHUNK + 5]);
        stream.begin_group(&[0]);
        let first = stream.written.len() as u64;
        assert_eq!(stream.positions, [vec![0, 0], vec![first, 5, 0]]);
    }
}
