//! From a source's bytes to its text: LZ4 frames, gzip members, zstd frames or plain, known by their magic.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use lz4_flex::frame::FrameDecoder;

/// The compression of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compression {
    Lz4,
    Gzip,
    Zstd,
    Plain,
}

/// The text of `packed`: all frames or members of it, one behind the other. A source that ends within one is
/// an error, not an end.
pub fn unpacked(mut packed: impl Read + Send + 'static) -> io::Result<Box<dyn BufRead + Send>> {
    let mut head = Vec::with_capacity(4);
    packed.by_ref().take(4).read_to_end(&mut head)?;
    let compression = compression(&head);
    let packed = BufReader::new(Cursor::new(head).chain(packed));
    Ok(match compression {
        Compression::Lz4 => Box::new(BufReader::new(Lz4Frames::new(packed))),
        Compression::Gzip => Box::new(BufReader::new(flate2::bufread::MultiGzDecoder::new(packed))),
        Compression::Zstd => Box::new(BufReader::new(zstd::stream::read::Decoder::with_buffer(
            packed,
        )?)),
        Compression::Plain => Box::new(packed),
    })
}

fn compression(head: &[u8]) -> Compression {
    match head {
        [0x04, 0x22, 0x4d, 0x18] => Compression::Lz4,
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        _ => Compression::Plain,
    }
}

/// Every LZ4 frame of a concatenation. A decoder serves one frame: it stops at its end, and at a torn one's
/// too.
struct Lz4Frames<R: BufRead>(Option<FrameDecoder<Watched<R>>>);

impl<R: BufRead> Lz4Frames<R> {
    fn new(packed: R) -> Self {
        Self(Some(FrameDecoder::new(Watched {
            inner: packed,
            ran_out: false,
        })))
    }
}

impl<R: BufRead> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(mut frame) = self.0.take() {
            let count = frame.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                self.0 = Some(frame);
                return Ok(count);
            }
            let mut packed = frame.into_inner();
            if packed.ran_out {
                return Err(io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "it ends within an LZ4 frame",
                ));
            }
            if !packed.inner.fill_buf()?.is_empty() {
                self.0 = Some(FrameDecoder::new(packed));
            }
        }
        Ok(0)
    }
}

/// Remembers that more was wanted than there is.
struct Watched<R> {
    inner: R,
    ran_out: bool,
}

impl<R: BufRead> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.ran_out |= count == 0 && !buffer.is_empty();
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    fn pack(compression: Compression, text: &[u8]) -> Vec<u8> {
        match compression {
            Compression::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Gzip => {
                let mut encoder =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(text).unwrap();
                encoder.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(text, 1).unwrap(),
            Compression::Plain => text.to_vec(),
        }
    }

    fn unpack(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        unpacked(Cursor::new(bytes))?.read_to_end(&mut text)?;
        Ok(text)
    }

    const PACKED: [Compression; 3] = [Compression::Lz4, Compression::Gzip, Compression::Zstd];

    #[test]
    fn every_frame_of_a_concatenation_is_read() {
        let large = "a line of some length\n".repeat(20_000);
        for compression in PACKED {
            let parts = [
                pack(compression, b"one\n"),
                pack(compression, large.as_bytes()),
                pack(compression, b"three\n"),
            ];
            let text = unpack(parts.concat()).unwrap();
            assert_eq!(text.len(), 4 + large.len() + 6, "{compression:?}");
            assert!(text.ends_with(b"three\n"));
        }
    }

    #[test]
    fn a_source_that_ends_within_a_frame_is_an_error() {
        let text: Vec<u8> = (0..5000u32)
            .flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        for compression in PACKED {
            let whole = pack(compression, &text);
            for cut in (4..whole.len()).step_by(97).chain([whole.len() - 1]) {
                assert!(
                    unpack(whole[..cut].to_vec()).is_err(),
                    "{compression:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn the_shortest_sources_are_plain() {
        for text in [&b""[..], b"{", b"{}\n"] {
            assert_eq!(unpack(text.to_vec()).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_behind_any_magic_are_survived(
            magic in prop::sample::select(PACKED.to_vec()), bytes in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let start = pack(magic, b"x");
            let _ = unpack([&start[..4], &bytes].concat());
        }
    }
}
