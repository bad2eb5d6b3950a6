//! Where a request's body stands: of a known length, or in chunks, and the pieces that are taken of it.

use std::io;

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    http1::refusal::Refusal,
    limits::{CHUNK_EXTENSION_BYTES, CHUNK_HEAD_BYTES, HEADERS, TRAILER_BYTES},
};

/// The part of a request's body that is still to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyState {
    Nothing,
    /// So many bytes, at least one.
    Length(u64),
    Chunks(Chunks),
    /// Nobody can tell, since an error came before.
    Broken(Refusal),
}

/// A body in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chunks {
    at: ChunkState,
    /// The bytes of the extensions that were passed over.
    extensions: usize,
}

/// Where in a body of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ChunkState {
    /// Before a chunk's length.
    Head,
    /// In a chunk of which so much is left, at least one byte.
    Data(u64),
    /// Behind a chunk, before the end of its line.
    End,
    /// Behind the last chunk, in the trailers, of which so many bytes in so many lines were passed over.
    Trailers { bytes: usize, lines: usize },
}

impl BodyState {
    pub(crate) fn of_length(length: u64) -> Self {
        if length == 0 {
            Self::Nothing
        } else {
            Self::Length(length)
        }
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunks(Chunks {
            at: ChunkState::Head,
            extensions: 0,
        })
    }

    /// The bytes that are still to come, where that is known.
    pub(crate) fn left(self) -> Option<u64> {
        match self {
            Self::Nothing => Some(0),
            Self::Length(left) => Some(left),
            Self::Chunks(_) | Self::Broken(_) => None,
        }
    }

    /// Takes the next piece of the body out of what was read; none where more must be read, an empty one at the end.
    ///
    /// # Errors
    /// When it is not in chunks, though it was said to be; from then on always.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> io::Result<Option<Bytes>> {
        let taken = match self {
            Self::Nothing => return Ok(Some(Bytes::new())),
            Self::Length(left) => {
                let piece = input.split_to(at_most(*left, input.len())).freeze();
                self.pass(piece.len());
                return Ok((!piece.is_empty()).then_some(piece));
            }
            Self::Broken(refusal) => Err(*refusal),
            Self::Chunks(chunks) => chunks.take(input),
        };
        match &taken {
            Ok(Some(piece)) if piece.is_empty() => *self = Self::Nothing,
            Ok(_) => {}
            Err(refusal) => *self = Self::Broken(*refusal),
        }
        Ok(taken?)
    }

    /// Notes that so much of a body of known length has come.
    pub(crate) fn pass(&mut self, bytes: usize) {
        if let Self::Length(left) = *self {
            *self = Self::of_length(left - bytes as u64);
        }
    }
}

impl Chunks {
    fn take(&mut self, input: &mut BytesMut) -> Result<Option<Bytes>, Refusal> {
        loop {
            match self.at {
                ChunkState::Data(left) => {
                    let piece = input.split_to(at_most(left, input.len()));
                    self.at = match left - piece.len() as u64 {
                        0 => ChunkState::End,
                        left => ChunkState::Data(left),
                    };
                    return Ok((!piece.is_empty()).then(|| piece.freeze()));
                }
                ChunkState::Head => {
                    let Some(line) = line(input, CHUNK_HEAD_BYTES, Refusal::Chunks)? else {
                        return Ok(None);
                    };
                    self.at = self.begin(&line)?;
                }
                ChunkState::End => match line(input, 0, Refusal::Chunks)? {
                    Some(_) => self.at = ChunkState::Head,
                    None => return Ok(None),
                },
                ChunkState::Trailers { bytes, lines } => {
                    let limit = TRAILER_BYTES.saturating_sub(bytes);
                    match line(input, limit, Refusal::Trailers)? {
                        None => return Ok(None),
                        Some(line) if line.is_empty() => return Ok(Some(line)),
                        Some(line) if lines == HEADERS || !is_field(&line) => {
                            return Err(Refusal::Trailers);
                        }
                        Some(line) => {
                            let (bytes, lines) = (bytes + line.len() + 2, lines + 1);
                            self.at = ChunkState::Trailers { bytes, lines };
                        }
                    }
                }
            }
        }
    }

    /// Goes on behind the line that a chunk begins with.
    fn begin(&mut self, line: &[u8]) -> Result<ChunkState, Refusal> {
        let (length, extensions) = chunk_length(line)?;
        self.extensions += extensions;
        if self.extensions > CHUNK_EXTENSION_BYTES {
            return Err(Refusal::Extensions);
        }
        Ok(match length {
            0 => ChunkState::Trailers { bytes: 0, lines: 0 },
            length => ChunkState::Data(length),
        })
    }
}

/// The smaller of what is left and a length.
pub(crate) fn at_most(left: u64, len: usize) -> usize {
    usize::try_from(left).map_or(len, |left| left.min(len))
}

/// Takes a line of at most `limit` bytes, without its end.
fn line(input: &mut BytesMut, limit: usize, refusal: Refusal) -> Result<Option<Bytes>, Refusal> {
    let Some(end) = memchr::memchr(b'\n', &input[..input.len().min(limit + 2)]) else {
        return if input.len() > limit + 1 {
            Err(refusal)
        } else {
            Ok(None)
        };
    };
    let line = input.split_to(end).freeze();
    input.advance(1);
    match line.strip_suffix(b"\r") {
        Some(text) => Ok(Some(line.slice_ref(text))),
        None => Err(refusal),
    }
}

/// The number before a chunk, and the length of the extensions behind it, which mean nothing.
fn chunk_length(line: &[u8]) -> Result<(u64, usize), Refusal> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (number, rest) = line.split_at(digits);
    let is_extension = rest.trim_ascii_start().starts_with(b";") && rest.iter().all(is_text);
    // Sixteen digits would be more than there can be.
    if !(1..16).contains(&digits) || !(rest.is_empty() || is_extension) {
        return Err(Refusal::Chunks);
    }
    let number = std::str::from_utf8(number).map_err(|_| Refusal::Chunks)?;
    let length = u64::from_str_radix(number, 16).map_err(|_| Refusal::Chunks)?;
    Ok((length, rest.len()))
}

/// Whether a line has a name, a colon and a value, as headers have.
fn is_field(line: &[u8]) -> bool {
    let Some(colon) = memchr::memchr(b':', line) else {
        return false;
    };
    let (name, value) = line.split_at(colon);
    http::HeaderName::from_bytes(name).is_ok() && value.iter().all(is_text)
}

/// Whether a byte may stand in a header's value: no control characters but the tab.
fn is_text(byte: &u8) -> bool {
    *byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All of a body that comes in these pieces, and what is left behind it.
    fn all(mut state: BodyState, pieces: &[&[u8]]) -> io::Result<(Vec<u8>, BodyState, BytesMut)> {
        let (mut input, mut body) = (BytesMut::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            while state != BodyState::Nothing
                && let Some(piece) = state.take(&mut input)?
            {
                body.extend_from_slice(&piece);
            }
        }
        Ok((body, state, input))
    }

    #[test]
    fn bodies_come_as_they_were_announced() {
        let (body, state, rest) = all(BodyState::of_length(5), &[b"ab", b"cdeGET"]).unwrap();
        assert_eq!(
            (&body[..], state, &rest[..]),
            (&b"abcde"[..], BodyState::Nothing, &b"GET"[..])
        );
        let chunks = b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nx: y\r\n\r\nGET";
        let each: Vec<_> = chunks.chunks(1).collect();
        for pieces in [&[&chunks[..]][..], &each] {
            let (body, state, rest) = all(BodyState::chunked(), pieces).unwrap();
            assert_eq!(
                (&body[..], state, &rest[..]),
                (&b"abcde"[..], BodyState::Nothing, &b"GET"[..])
            );
        }
    }

    #[test]
    fn what_is_not_in_chunks_is_refused() {
        let endless = format!("0\r\n{}", "a: b\r\n".repeat(TRAILER_BYTES));
        let many = format!("0\r\n{}\r\n", "a:\r\n".repeat(HEADERS + 1));
        let extended = format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(50);
        let long = "1;".repeat(CHUNK_HEAD_BYTES);
        for bad in [
            "x\r\n",
            "-1\r\n",
            "1\nab",
            "1\r\nabc",
            "\r\n",
            "10000000000000000\r\n",
            "1 1\r\n",
            "1 \r\na\r\n",
            "1;a\rb\r\na",
            "1\r;a\r\na",
            "1;\0\r\na",
            "0\r\nno field\r\n\r\n",
            "0\r\n a: b\r\n\r\n",
            "0\r\na : b\r\n\r\n",
            "0\r\na: b\rc\r\n\r\n",
            &many,
            &extended,
            &endless,
            &long,
        ] {
            assert!(
                all(BodyState::chunked(), &[bad.as_bytes()]).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_body_that_broke_stays_broken() {
        let (mut state, mut input) = (BodyState::chunked(), BytesMut::from("x\r\n0\r\n\r\n"));
        for _ in 0..3 {
            assert!(state.take(&mut input).is_err());
            assert_eq!(state, BodyState::Broken(Refusal::Chunks));
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_does_harm(pieces: Vec<Vec<u8>>) {
            let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            if let Ok((body, _, rest)) = all(BodyState::chunked(), &pieces) {
                prop_assert!(body.len() + rest.len() <= pieces.concat().len());
            }
        }

        #[test]
        fn chunks_are_put_together(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..40), 0..5), cut in 0..200usize,
        ) {
            let mut text = Vec::new();
            for chunk in &chunks {
                text.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                text.extend_from_slice(chunk);
                text.extend_from_slice(b"\r\n");
            }
            text.extend_from_slice(b"0\r\n\r\n");
            let (one, two) = text.split_at(cut.min(text.len()));
            let (body, state, _) = all(BodyState::chunked(), &[one, two]).unwrap();
            prop_assert_eq!((body, state), (chunks.concat(), BodyState::Nothing));
        }
    }
}
