//! Bodies: one type for requests and answers, and what is held of them in memory.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt};
use headwater_shapes::ByteStream;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits::{BODY_WEIGHT, BUFFERED_BYTES, DISCARDED_BYTES};

/// A request's or an answer's body.
pub type Body = UnsyncBoxBody<Bytes, io::Error>;

/// A body of nothing.
pub fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// A body of bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// A body that is passed on as it comes, and announces its length where that is known.
pub fn streamed(stream: ByteStream) -> Body {
    Announced { body: StreamBody::new(stream.chunks.map_ok(Frame::data)), left: stream.len }.boxed_unsync()
}

/// A body of frames that knows how many bytes are to come.
struct Announced<B> {
    body: B,
    left: Option<u64>,
}

impl<B: http_body::Body<Data = Bytes, Error = io::Error> + Unpin> http_body::Body for Announced<B> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let (Poll::Ready(Some(Ok(frame))), Some(left)) = (&frame, &mut self.left) {
            *left = left.saturating_sub(frame.data_ref().map_or(0, |data| data.len() as u64));
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A body as a stream of its chunks; `len` is what was announced of it.
pub fn into_stream(body: Body, len: Option<u64>) -> ByteStream {
    let chunks = body.into_data_stream();
    ByteStream { chunks: Box::pin(chunks.filter(|chunk| std::future::ready(!is_empty(chunk)))), len }
}

fn is_empty(chunk: &io::Result<Bytes>) -> bool {
    chunk.as_ref().is_ok_and(Bytes::is_empty)
}

/// A body in memory, and its share of what all bodies may take.
pub struct Held {
    /// The body.
    pub bytes: Bytes,
    /// Dropping it gives the share back: it is kept for as long as the body, or what was read of it, is needed.
    pub share: Share,
}

/// A part of the room for bodies.
pub struct Share(#[expect(dead_code, reason = "it is there to be dropped")] OwnedSemaphorePermit);

/// Why a body is not in memory.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// It is longer than such a request may be.
    #[error("the body is longer than {limit} bytes")]
    TooLong {
        /// The most that it may have.
        limit: usize,
    },
    /// It broke off.
    #[error("the body broke off: {0}")]
    Broken(#[from] io::Error),
}

/// What all bodies in memory may take together. Clones share it.
#[derive(Clone)]
pub struct Buffers {
    kibibytes: Arc<Semaphore>,
    total: u32,
}

impl Default for Buffers {
    fn default() -> Self {
        Self::new(BUFFERED_BYTES)
    }
}

impl Buffers {
    /// Room for `total` bytes: bodies, and what becomes of them.
    pub fn new(total: usize) -> Self {
        let total = kibibytes(total);
        Self { kibibytes: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Reads a body of at most `limit` bytes, once there is room for it.
    ///
    /// Room is taken before the first byte is read, so that no two bodies wait for each other half-read.
    ///
    /// # Errors
    /// When it is too long, or breaks off.
    pub async fn hold(&self, body: Body, limit: usize) -> Result<Held, HoldError> {
        let hint = body.size_hint();
        if hint.lower() > limit as u64 {
            discard(body).await;
            return Err(HoldError::TooLong { limit });
        }
        let expected = hint.exact().map_or(limit, |exact| exact as usize);
        let share = kibibytes(expected.saturating_mul(BODY_WEIGHT)).min(self.total);
        let share = self.kibibytes.clone().acquire_many_owned(share).await.expect("it is never closed");
        Ok(Held { bytes: read(body, limit).await?, share: Share(share) })
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Bytes, HoldError> {
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    let announced = body.size_hint().exact().unwrap_or(0) as usize;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        let held = first.as_ref().map_or(0, Bytes::len).max(rest.len());
        if held + data.len() > limit {
            drop((first, rest));
            discard(body).await;
            return Err(HoldError::TooLong { limit });
        }
        match first.take() {
            None if rest.is_empty() => first = Some(data),
            None => rest.extend_from_slice(&data),
            // More than one chunk: from here on in one buffer.
            Some(chunk) => {
                rest.reserve(announced.max(chunk.len() + data.len()));
                rest.extend_from_slice(&chunk);
                rest.extend_from_slice(&data);
            }
        }
    }
    Ok(first.unwrap_or_else(|| rest.freeze()))
}

/// Reads a body that nobody wants, so that its sender gets to reading the answer; not one that is very long.
async fn discard(mut body: Body) {
    let mut left = DISCARDED_BYTES;
    while body.size_hint().lower() <= left
        && let Some(Ok(frame)) = body.frame().await
    {
        let len = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(len) else { return };
        left = rest;
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(chunks: &'static [&'static [u8]]) -> Body {
        let chunks = futures_util::stream::iter(chunks.iter().map(|c| Ok(Bytes::from_static(c))));
        streamed(ByteStream { chunks: Box::pin(chunks), len: None })
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_their_limit() {
        let buffers = Buffers::new(4096);
        assert_eq!(buffers.hold(chunks(&[]), 4).await.unwrap().bytes, "");
        assert_eq!(buffers.hold(chunks(&[b"ab", b"", b"cd"]), 4).await.unwrap().bytes, "abcd");
        assert_eq!(buffers.hold(full("abcd"), 4).await.unwrap().bytes, "abcd");
        for body in [full("abcde"), chunks(&[b"ab", b"cd", b"e"])] {
            assert!(matches!(buffers.hold(body, 4).await, Err(HoldError::TooLong { limit: 4 })));
        }
        assert_eq!(buffers.kibibytes.available_permits(), 4, "all room is given back");
    }

    #[tokio::test]
    async fn a_streamed_body_announces_what_is_left_of_it() {
        let two = futures_util::stream::iter([Ok(Bytes::from("ab")), Ok(Bytes::from("c"))]);
        let mut body = streamed(ByteStream { chunks: Box::pin(two), len: Some(3) });
        assert_eq!(body.size_hint().exact(), Some(3));
        body.frame().await.unwrap().unwrap();
        assert_eq!(body.size_hint().exact(), Some(1));
        assert_eq!(chunks(&[]).size_hint().exact(), None);
    }

    #[tokio::test]
    async fn a_body_waits_until_there_is_room() {
        let buffers = Buffers::new(2048);
        let first = buffers.hold(full(vec![0; 2048]), 4096).await.unwrap();
        let mut second = std::pin::pin!(buffers.hold(full("x"), 4096));
        assert!(futures_util::poll!(second.as_mut()).is_pending());
        drop(first);
        assert_eq!(second.await.unwrap().bytes, "x");
    }
}
