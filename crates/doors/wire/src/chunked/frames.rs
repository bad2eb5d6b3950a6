//! `aws-chunked` frames: `<hex length>[;extension]\r\n<bytes>\r\n`, a last one of length 0, then trailers.

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    chunked::BodyError,
    limits::{CHUNK_LINE_BYTES, TRAILERS},
};

/// Takes frames apart, whatever the pieces they come in.
#[derive(Default)]
pub(super) struct Frames {
    input: BytesMut,
    state: State,
    /// The signature of the chunk that is read.
    signature: String,
    trailers: Vec<(String, String)>,
}

/// The next part of the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// Bytes of the body.
    Data(Bytes),
    /// The end of a chunk, also of the last one, which is empty; with its signature where it has one.
    ChunkEnd(String),
    /// The end, with the trailers by their names in lower case.
    End(Vec<(String, String)>),
    /// Nothing before more input comes.
    NeedsMore,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At a line with a length.
    #[default]
    Length,
    /// So many bytes of the chunk are to come.
    Data(u64),
    /// At the line end behind a chunk's bytes.
    DataEnd,
    Trailers,
}

impl Frames {
    /// More input.
    pub(super) fn feed(&mut self, bytes: Bytes) {
        // The usual piece is whole chunks: nothing is copied but what is left of the piece before.
        if self.input.is_empty()
            && let Ok(own) = bytes.clone().try_into_mut()
        {
            self.input = own;
        } else {
            self.input.extend_from_slice(&bytes);
        }
    }

    /// The next frame. After the end, and after an error, there is none.
    pub(super) fn next(&mut self) -> Result<Frame, BodyError> {
        loop {
            match self.state {
                State::Length => {
                    let Some(line) = self.line()? else {
                        return Ok(Frame::NeedsMore);
                    };
                    let (length, signature) = chunk_line(&line)?;
                    self.signature = signature.to_owned();
                    if length == 0 {
                        self.state = State::Trailers;
                        return Ok(self.chunk_end());
                    }
                    self.state = State::Data(length);
                }
                State::Data(_) if self.input.is_empty() => return Ok(Frame::NeedsMore),
                State::Data(left) => {
                    let here = left.min(self.input.len() as u64);
                    let data = self.input.split_to(here as usize).freeze();
                    self.state = if here == left {
                        State::DataEnd
                    } else {
                        State::Data(left - here)
                    };
                    return Ok(Frame::Data(data));
                }
                State::DataEnd => match self.input.get(..2) {
                    None => return Ok(Frame::NeedsMore),
                    Some(b"\r\n") => {
                        self.input.advance(2);
                        self.state = State::Length;
                        return Ok(self.chunk_end());
                    }
                    Some(_) => return Err(BodyError::Framing("a chunk is longer than it says")),
                },
                State::Trailers => match self.line()? {
                    None => return Ok(Frame::NeedsMore),
                    Some(line) if line.is_empty() => {
                        return Ok(Frame::End(std::mem::take(&mut self.trailers)));
                    }
                    Some(line) => self.add_trailer(&line)?,
                },
            }
        }
    }

    fn chunk_end(&mut self) -> Frame {
        Frame::ChunkEnd(std::mem::take(&mut self.signature))
    }

    /// A line without its end, of bounded length; none while it is not whole.
    fn line(&mut self) -> Result<Option<String>, BodyError> {
        let window = &self.input[..self.input.len().min(CHUNK_LINE_BYTES)];
        match window.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = self.input.split_to(end + 1);
                let text = std::str::from_utf8(&line)
                    .map_err(|_| BodyError::Framing("a line is not text"))?;
                Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
            }
            None if self.input.len() >= CHUNK_LINE_BYTES => {
                Err(BodyError::Framing("a line is too long"))
            }
            None => Ok(None),
        }
    }

    fn add_trailer(&mut self, line: &str) -> Result<(), BodyError> {
        let (name, value) = line.split_once(':').ok_or(BodyError::Trailer)?;
        if self.trailers.len() == TRAILERS {
            return Err(BodyError::Trailer);
        }
        self.trailers
            .push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        Ok(())
    }
}

/// The length at the start of a chunk's line, and the signature behind it, empty where there is none.
fn chunk_line(line: &str) -> Result<(u64, &str), BodyError> {
    let (digits, extension) = line.split_once(';').unwrap_or((line, ""));
    let digits = digits.trim();
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let length = plain
        .then(|| u64::from_str_radix(digits, 16).ok())
        .flatten();
    let length = length.ok_or(BodyError::Framing("a chunk does not start with its length"))?;
    Ok((
        length,
        extension
            .trim()
            .strip_prefix("chunk-signature=")
            .unwrap_or_default(),
    ))
}
