//! Request bodies that say what they hold: `aws-chunked` framing, checksums and lengths, checked as they pass.
//!
//! [`receive`] takes a body and its headers and gives the bytes inside, one chunk in memory at a time. A mismatch
//! ends the stream with an [`io::Error`] that holds the [`ApiError`] for it; a store must not keep the bytes then
//! ([`body_error`] gets the error out again). A signature's cover of the body is checked here too.

mod checks;
mod frames;

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use headwater_auth::verify::Seal;
use headwater_shapes::ByteStream;
use http::{HeaderMap, header};
use sha2::Digest;

use crate::{
    ApiError,
    chunked::{
        checks::Checks,
        frames::{Frame, Frames},
    },
};

pub(crate) use checks::Algorithm;

const CONTENT_SHA256: &str = "x-amz-content-sha256";
const DECODED_LENGTH: &str = "x-amz-decoded-content-length";
const TRAILER: &str = "x-amz-trailer";

/// The reason why a body is refused; some are known at its end only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// Fewer or more bytes than announced.
    #[error("the body has {actual} bytes instead of {announced}")]
    Length {
        /// The bytes that the headers announced.
        announced: u64,
        /// The bytes that came, at least.
        actual: u64,
    },
    /// It ended or broke off within a chunk.
    #[error("the body broke off")]
    Cut,
    /// The framing is not `aws-chunked`.
    #[error("the body is not aws-chunked: {0}")]
    Framing(&'static str),
    /// The announced trailer is missing or malformed.
    #[error("the trailer is missing or malformed")]
    Trailer,
    /// The value of a checksum's header or trailer cannot be one.
    #[error("the value of {0} is no checksum")]
    Malformed(String),
    /// The signature of a chunk, or of the trailers, does not match.
    #[error("the signature of a part of the body does not match")]
    Signature,
    /// A checksum does not match.
    #[error("the {algorithm} of the body is {computed} instead of {given}")]
    Checksum {
        /// The algorithm.
        algorithm: Algorithm,
        /// The header's or trailer's value.
        given: String,
        /// The body's.
        computed: String,
    },
}

/// How much of a body's integrity is checked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// All that the headers name: for bodies that are held in memory.
    Everything,
    /// The same without checksum headers, which are members of the input and not of the body: those of an object that
    /// a body of XML completes.
    WithoutChecksums,
    /// Only what the protocol alone sees: lengths, trailers and the signed hash. `Content-MD5` and checksum headers are
    /// members of the input, and the store of the bytes computes them anyhow.
    Transport,
}

/// The bytes inside `body`, checked against its headers and its request's signature on their way.
///
/// # Errors
/// When the headers themselves are wrong.
pub(crate) fn receive(
    body: ByteStream,
    headers: &HeaderMap,
    depth: Depth,
    seal: Seal,
) -> Result<ByteStream, BodyError> {
    let framed = is_framed(headers);
    let announced = if framed {
        number(headers, DECODED_LENGTH)?
    } else {
        body.len
    };
    let frames = framed.then(Frames::default);
    let checks = Checks::new(headers, depth)?;
    let state = State {
        body,
        frames,
        checks,
        seal,
        announced,
        seen: 0,
        finished: false,
    };
    let chunks = stream::try_unfold(state, |mut state| async move {
        let chunk = state.next().await?;
        Ok(chunk.map(|chunk| (chunk, state)))
    });
    Ok(ByteStream {
        chunks: Box::pin(chunks),
        len: announced,
    })
}

/// The checksum algorithm that a trailer is announced for.
pub(crate) fn trailer_algorithm(headers: &HeaderMap) -> Option<Algorithm> {
    text(headers, TRAILER).and_then(Algorithm::of_header)
}

/// Whether the body is in `aws-chunked` frames.
pub(crate) fn is_framed(headers: &HeaderMap) -> bool {
    let encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    let chunked = encodings
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|encoding| encoding.trim().eq_ignore_ascii_case("aws-chunked"));
    chunked || text(headers, CONTENT_SHA256).is_some_and(|hash| hash.starts_with("STREAMING-"))
}

/// The protocol's error about a body, out of the error of its stream.
pub fn body_error(error: &io::Error) -> Option<ApiError> {
    error.get_ref()?.downcast_ref::<ApiError>().cloned()
}

struct State {
    body: ByteStream,
    frames: Option<Frames>,
    checks: Checks,
    seal: Seal,
    announced: Option<u64>,
    seen: u64,
    finished: bool,
}

impl State {
    /// The next bytes, none at an end that was found right.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if self.finished {
                return Ok(None);
            }
            let frame = match &mut self.frames {
                Some(frames) => frames.next().map_err(broken)?,
                None => Frame::NeedsMore,
            };
            match frame {
                Frame::Data(data) => return self.pass(data).map(Some),
                Frame::ChunkEnd(signature) => self.end_chunk(&signature)?,
                Frame::End(trailers) => self.finish(&trailers)?,
                Frame::NeedsMore => match (self.read().await?, &mut self.frames) {
                    (Some(bytes), Some(frames)) => frames.feed(bytes),
                    (Some(bytes), None) => return self.pass(bytes).map(Some),
                    (None, Some(_)) => return Err(broken(BodyError::Cut)),
                    (None, None) => self.finish(&[])?,
                },
            }
        }
    }

    /// The next bytes as they were sent.
    async fn read(&mut self) -> io::Result<Option<Bytes>> {
        let bytes = self.body.chunks.next().await.transpose()?;
        if let (Seal::Whole(hash, _), Some(bytes)) = (&mut self.seal, &bytes) {
            hash.update(bytes);
        }
        Ok(bytes)
    }

    fn pass(&mut self, data: Bytes) -> io::Result<Bytes> {
        self.seen += data.len() as u64;
        match self.announced {
            Some(announced) if self.seen > announced => Err(broken(BodyError::Length {
                announced,
                actual: self.seen,
            })),
            _ => {
                self.checks.update(&data);
                if let Seal::Chunks(chain) = &mut self.seal {
                    chain.update(&data);
                }
                Ok(data)
            }
        }
    }

    fn end_chunk(&mut self, signature: &str) -> io::Result<()> {
        let fits = match &mut self.seal {
            Seal::Chunks(chain) => chain.ends_chunk(signature),
            Seal::Whole(..) | Seal::None => true,
        };
        if fits {
            Ok(())
        } else {
            Err(broken(BodyError::Signature))
        }
    }

    fn finish(&mut self, trailers: &[(String, String)]) -> io::Result<()> {
        self.finished = true;
        if let Some(announced) = self.announced.filter(|announced| *announced != self.seen) {
            return Err(broken(BodyError::Length {
                announced,
                actual: self.seen,
            }));
        }
        let fits = match std::mem::take(&mut self.seal) {
            Seal::Whole(hash, check) => check(hash.finalize().into()).map(|()| true),
            Seal::Chunks(mut chain) => Ok(chain.ends_body(trailers)),
            Seal::None => Ok(true),
        };
        match fits.map_err(io::Error::other)? {
            true => self.checks.finish(trailers).map_err(broken),
            false => Err(broken(BodyError::Signature)),
        }
    }
}

fn broken(error: BodyError) -> io::Error {
    io::Error::other(ApiError::from(&error))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &'static str) -> Result<Option<u64>, BodyError> {
    let parse = |text: &str| {
        text.trim()
            .parse()
            .map_err(|_| BodyError::Malformed(name.to_owned()))
    };
    text(headers, name).map(parse).transpose()
}

impl From<&BodyError> for ApiError {
    /// S3's codes and texts. (Sources: the S3 API reference's list of errors; answers recorded by versitygw and
    /// ministack.)
    fn from(error: &BodyError) -> Self {
        let refuse = |code: &str, text: String| ApiError::new(400, code, text);
        match error {
            BodyError::Length { .. } | BodyError::Cut => refuse(
                "IncompleteBody",
                "You did not provide the number of bytes specified by the Content-Length HTTP header".to_owned(),
            ),
            BodyError::Framing(what) => {
                refuse("InvalidRequest", format!("The body is not of the form aws-chunked: {what}."))
            }
            BodyError::Trailer => refuse(
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published \
                 schema."
                    .to_owned(),
            ),
            BodyError::Signature => ApiError::new(
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            BodyError::Malformed(name) if name == "content-md5" => {
                refuse("InvalidDigest", "The Content-MD5 you specified was invalid.".to_owned())
            }
            BodyError::Malformed(name) => {
                refuse("InvalidRequest", format!("Value for {name} header is invalid."))
            }
            BodyError::Checksum { algorithm: Algorithm::Md5, given, computed } => refuse(
                "BadDigest",
                "The Content-MD5 you specified did not match what we received.".to_owned(),
            )
            .with("ExpectedDigest", given.as_str())
            .with("CalculatedDigest", computed.as_str()),
            BodyError::Checksum { algorithm: Algorithm::Payload, given, computed } => refuse(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.".to_owned(),
            )
            .with("ClientComputedContentSHA256", given.as_str())
            .with("S3ComputedContentSHA256", computed.as_str()),
            BodyError::Checksum { algorithm, .. } => refuse(
                "BadDigest",
                format!("The {algorithm} you specified did not match the calculated checksum."),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
