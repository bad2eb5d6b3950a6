//! A request's body as it comes: of a known length, or in chunks.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::{
    http1::line::Line,
    limits::{CHUNK_HEAD_BYTES, TRAILER_BYTES},
};

/// What is still to come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coming {
    Nothing,
    /// So many bytes, at least one.
    Length(u64),
    Chunks(Chunk),
}

/// Where in a body of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// Before a chunk's length.
    Head,
    /// In a chunk of which so much is left, at least one byte.
    Data(u64),
    /// Behind a chunk, before the end of its line.
    End,
    /// Behind the last chunk, in what follows it, of which so many bytes were passed over.
    Trailers(usize),
}

impl Coming {
    pub(crate) fn of_length(length: u64) -> Self {
        if length == 0 {
            Self::Nothing
        } else {
            Self::Length(length)
        }
    }

    pub(crate) fn chunked() -> Self {
        Self::Chunks(Chunk::Head)
    }

    /// Takes the next piece of the body out of what was read; none where more must be read, an empty one at the end.
    ///
    /// # Errors
    /// When it is not in chunks, though it was said to be.
    pub(crate) fn take(&mut self, input: &mut BytesMut) -> io::Result<Option<Bytes>> {
        loop {
            let Self::Chunks(chunk) = self else {
                return Ok(self.take_counted(input));
            };
            match *chunk {
                Chunk::Data(left) => {
                    let piece = input.split_to(at_most(left, input.len()));
                    let left = left - piece.len() as u64;
                    *chunk = if left == 0 {
                        Chunk::End
                    } else {
                        Chunk::Data(left)
                    };
                    return Ok((!piece.is_empty()).then(|| piece.freeze()));
                }
                Chunk::Head => {
                    let Some(line) = line(input, CHUNK_HEAD_BYTES)? else {
                        return Ok(None);
                    };
                    *chunk = match chunk_length(&line)? {
                        0 => Chunk::Trailers(0),
                        length => Chunk::Data(length),
                    };
                }
                Chunk::End => match line(input, 0)? {
                    Some(_) => *chunk = Chunk::Head,
                    None => return Ok(None),
                },
                Chunk::Trailers(passed) => match line(input, TRAILER_BYTES.saturating_sub(passed))?
                {
                    Some(trailer) if trailer.is_empty() => *self = Self::Nothing,
                    Some(trailer) => *chunk = Chunk::Trailers(passed + trailer.len()),
                    None => return Ok(None),
                },
            }
        }
    }

    fn take_counted(&mut self, input: &mut BytesMut) -> Option<Bytes> {
        let Self::Length(left) = *self else {
            return Some(Bytes::new());
        };
        let piece = input.split_to(at_most(left, input.len()));
        self.passed(piece.len());
        (!piece.is_empty()).then(|| piece.freeze())
    }

    /// Notes that so much of a body of known length has come.
    fn passed(&mut self, bytes: usize) {
        if let Self::Length(left) = *self {
            *self = Self::of_length(left - bytes as u64);
        }
    }
}

fn at_most(left: u64, len: usize) -> usize {
    usize::try_from(left).map_or(len, |left| left.min(len))
}

/// Takes a line of at most `limit` bytes, without its end.
fn line(input: &mut BytesMut, limit: usize) -> io::Result<Option<Bytes>> {
    let Some(end) = memchr::memchr(b'\n', &input[..input.len().min(limit + 2)]) else {
        return if input.len() > limit + 1 {
            Err(not_chunks())
        } else {
            Ok(None)
        };
    };
    let line = input.split_to(end).freeze();
    input.advance(1);
    match line.strip_suffix(b"\r") {
        Some(text) => Ok(Some(line.slice_ref(text))),
        None => Err(not_chunks()),
    }
}

/// The number before a chunk; what may follow it behind a semicolon means nothing.
fn chunk_length(line: &[u8]) -> io::Result<u64> {
    let digits = line
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (number, rest) = line.split_at(digits);
    let rest = rest.trim_ascii_start();
    // Sixteen digits would be more than there can be.
    if !(1..16).contains(&digits) || !(rest.is_empty() || rest.starts_with(b";")) {
        return Err(not_chunks());
    }
    let number = std::str::from_utf8(number).map_err(|_| not_chunks())?;
    u64::from_str_radix(number, 16).map_err(|_| not_chunks())
}

fn not_chunks() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the body is not in chunks")
}

/// A request's body on its connection's line.
pub(crate) struct Incoming {
    line: Arc<Mutex<Line>>,
}

impl Incoming {
    /// The body that the line is in.
    pub(crate) fn new(line: Arc<Mutex<Line>>) -> Self {
        Self { line }
    }

    /// How much is still to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        match self.line.lock().coming {
            Coming::Nothing => Some(0),
            Coming::Length(left) => Some(left),
            Coming::Chunks(_) => None,
        }
    }

    /// Reads at most `most` bytes more of a body of known length, behind what is in `into`.
    pub(crate) async fn read_more(&self, into: &mut Vec<u8>, most: usize) -> io::Result<()> {
        std::future::poll_fn(|context| self.line.lock().poll_body_into(context, into, most)).await
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = ready!(self.line.lock().poll_body(context));
        Poll::Ready(match piece {
            Ok(piece) if piece.is_empty() => None,
            piece => Some(piece.map(Frame::data)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.left()
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Line {
    /// The next piece of the body, empty at its end.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        ready!(self.poll_greeting(context))?;
        loop {
            if let Some(piece) = self.coming.take(&mut self.input)? {
                return Poll::Ready(Ok(piece));
            }
            if ready!(self.poll_fill(context))? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Some more of a body of known length, behind what is in `into`.
    fn poll_body_into(
        &mut self,
        context: &mut Context<'_>,
        into: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_greeting(context))?;
        let Coming::Length(left) = self.coming else {
            return Poll::Ready(Ok(()));
        };
        // Room is taken once something comes: who only announces a body has none.
        if into.is_empty() && self.input.is_empty() && ready!(self.poll_fill(context))? == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        let most = at_most(left, most);
        if self.input.is_empty() {
            let read = ready!(self.poll_read_into(context, into, most))?;
            if read == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.coming.passed(read);
        } else {
            let piece = self.input.split_to(self.input.len().min(most));
            self.coming.passed(piece.len());
            into.extend_from_slice(&piece);
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// All of a body that comes in these pieces, and what is left behind it.
    fn all(mut coming: Coming, pieces: &[&[u8]]) -> io::Result<(Vec<u8>, Coming, BytesMut)> {
        let (mut input, mut body) = (BytesMut::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            while coming != Coming::Nothing
                && let Some(piece) = coming.take(&mut input)?
            {
                body.extend_from_slice(&piece);
            }
        }
        Ok((body, coming, input))
    }

    #[test]
    fn bodies_come_as_they_were_announced() {
        let (body, coming, rest) = all(Coming::of_length(5), &[b"ab", b"cdeGET"]).unwrap();
        assert_eq!(
            (&body[..], coming, &rest[..]),
            (&b"abcde"[..], Coming::Nothing, &b"GET"[..])
        );
        let chunks = b"2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nx: y\r\n\r\nGET";
        let each: Vec<_> = chunks.chunks(1).collect();
        for pieces in [&[&chunks[..]][..], &each] {
            let (body, coming, rest) = all(Coming::chunked(), pieces).unwrap();
            assert_eq!(
                (&body[..], coming, &rest[..]),
                (&b"abcde"[..], Coming::Nothing, &b"GET"[..])
            );
        }
    }

    #[test]
    fn what_is_not_in_chunks_is_refused() {
        let endless = format!("0\r\n{}", "a: b\r\n".repeat(TRAILER_BYTES));
        let long = "1;".repeat(CHUNK_HEAD_BYTES);
        for bad in [
            "x\r\n",
            "-1\r\n",
            "1\nab",
            "1\r\nabc",
            "\r\n",
            "10000000000000000\r\n",
            "1 1\r\n",
            &endless,
            &long,
        ] {
            assert!(all(Coming::chunked(), &[bad.as_bytes()]).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn nothing_that_comes_does_harm(pieces: Vec<Vec<u8>>) {
            let pieces: Vec<_> = pieces.iter().map(Vec::as_slice).collect();
            if let Ok((body, _, rest)) = all(Coming::chunked(), &pieces) {
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
            let (body, coming, _) = all(Coming::chunked(), &[one, two]).unwrap();
            prop_assert_eq!((body, coming), (chunks.concat(), Coming::Nothing));
        }
    }
}
