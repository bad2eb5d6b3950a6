//! Bodies: one type for requests and answers, and what is held of them in memory.

use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt};
use headwater_env::buffers;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    http1::incoming::Incoming,
    limits::{ANSWER_CHUNK_BYTES, BODY_STEP_BYTES, BODY_WEIGHT, BUFFERED_BYTES, DISCARDED_BYTES},
};

/// A request's or an answer's body.
pub struct Body(Kind);

enum Kind {
    Full(Bytes),
    Incoming(Incoming),
    Other(UnsyncBoxBody<Bytes, io::Error>),
}

impl Body {
    /// Any other body.
    pub(crate) fn other(
        body: impl http_body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
    ) -> Self {
        Self(Kind::Other(body.boxed_unsync()))
    }

    /// How many bytes are left of a body that is in memory as a whole.
    pub(crate) fn in_memory(&self) -> Option<usize> {
        match &self.0 {
            Kind::Full(bytes) => Some(bytes.len()),
            _ => None,
        }
    }
}

impl From<Incoming> for Body {
    fn from(incoming: Incoming) -> Self {
        Self(Kind::Incoming(incoming))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut task::Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match &mut self.0 {
            Kind::Full(bytes) if bytes.is_empty() => Poll::Ready(None),
            Kind::Full(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Incoming(body) => Pin::new(body).poll_frame(context),
            Kind::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Incoming(body) => body.is_end_stream(),
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Incoming(body) => body.size_hint(),
            Kind::Other(body) => body.size_hint(),
        }
    }
}

/// A body of nothing.
pub fn empty() -> Body {
    full(Bytes::new())
}

/// A body of bytes.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Body(Kind::Full(bytes.into()))
}

/// A body of bytes that is handed out in pieces, as its peer takes them, and gives its share of the room back at its
/// end: what a connection has taken of it, it holds itself.
pub fn shared(bytes: Bytes, share: Share) -> Body {
    let len = bytes.len() as u64;
    let pieces = futures_util::stream::unfold((bytes, share), |(mut left, share)| async move {
        let piece = left.split_to(left.len().min(ANSWER_CHUNK_BYTES));
        (!piece.is_empty()).then_some((Ok(piece), (left, share)))
    });
    streamed(pieces, Some(len))
}

/// A body that is passed on as it comes, and announces its length where that is known.
pub fn streamed(
    chunks: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
    len: Option<u64>,
) -> Body {
    Body::other(Announced {
        body: StreamBody::new(Box::pin(chunks.map_ok(Frame::data))),
        left: len,
    })
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
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A body as a stream of its chunks, none of them empty.
pub fn chunks(body: Body) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    body.into_data_stream()
        .filter(|chunk| std::future::ready(!is_empty(chunk)))
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
#[derive(Default)]
pub struct Share {
    room: Option<OwnedSemaphorePermit>,
    /// Stands for as much as this body needs.
    last: Option<OwnedSemaphorePermit>,
}

impl Share {
    /// Gives back what is beyond `bytes`.
    pub fn keep(&mut self, bytes: usize) {
        if let Some(room) = &mut self.room {
            let excess = room.num_permits().saturating_sub(kibibytes(bytes) as usize);
            drop(room.split(excess));
        }
    }
}

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
    /// For one body at a time beyond all room, so that bodies that wait for each other half-read come to an end.
    last: Arc<Semaphore>,
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers")
            .field("free_kibibytes", &self.kibibytes.available_permits())
            .finish()
    }
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
        Self {
            kibibytes: Arc::new(Semaphore::new(total as usize)),
            total,
            last: Arc::new(Semaphore::new(1)),
        }
    }

    /// Reads a body of at most `limit` bytes, as there is room for what comes of it: one that was only announced keeps
    /// nobody out.
    ///
    /// # Errors
    /// When it is too long, or breaks off.
    pub async fn hold(&self, body: Body, limit: usize) -> Result<Held, HoldError> {
        if body.size_hint().lower() > limit as u64 {
            discard(body).await;
            return Err(HoldError::TooLong { limit });
        }
        let mut share = Share::default();
        let bytes = match body {
            Body(Kind::Incoming(incoming)) if let Some(len) = incoming.left() => {
                self.read_counted(&incoming, len as usize, &mut share)
                    .await?
            }
            body => self.read(body, limit, &mut share).await?,
        };
        Ok(Held { bytes, share })
    }

    /// Takes room for `bytes`, or all there is, once it is free.
    pub async fn take(&self, bytes: usize) -> Share {
        let permits = kibibytes(bytes).min(self.total);
        let room = self.kibibytes.clone().acquire_many_owned(permits).await;
        Share {
            room: Some(room.expect("it is never closed")),
            last: None,
        }
    }

    /// Reads a body of `len` bytes from its connection straight to where it stays.
    async fn read_counted(
        &self,
        incoming: &Incoming,
        len: usize,
        share: &mut Share,
    ) -> Result<Bytes, HoldError> {
        let (mut bytes, mut charged) = (Vec::new(), 0);
        while bytes.len() < len {
            incoming.read_more(&mut bytes, BODY_STEP_BYTES).await?;
            while charged < bytes.len() {
                self.grow(share).await;
                charged += BODY_STEP_BYTES;
            }
            // For all of it as soon as something of it is there.
            let left = len - bytes.len();
            buffers::reserve(&mut bytes, left);
        }
        Ok(buffers::share(bytes))
    }

    async fn read(
        &self,
        mut body: Body,
        limit: usize,
        share: &mut Share,
    ) -> Result<Bytes, HoldError> {
        let mut first: Option<Bytes> = None;
        let mut rest = BytesMut::new();
        let announced = body.size_hint().exact().unwrap_or(0) as usize;
        let mut charged = 0;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else {
                continue;
            };
            let held = first.as_ref().map_or(0, Bytes::len).max(rest.len());
            if held + data.len() > limit {
                drop((first, rest));
                discard(body).await;
                return Err(HoldError::TooLong { limit });
            }
            while charged < held + data.len() {
                self.grow(share).await;
                charged += BODY_STEP_BYTES;
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

    /// Takes room for one more step of a body, or all that it will need.
    async fn grow(&self, share: &mut Share) {
        if share.last.is_some() {
            return;
        }
        let step = kibibytes(BODY_STEP_BYTES * BODY_WEIGHT).min(self.total);
        let more = tokio::select! {
            biased;
            more = self.kibibytes.clone().acquire_many_owned(step) => more.expect("it is never closed"),
            last = self.last.clone().acquire_owned() => {
                share.last = Some(last.expect("it is never closed"));
                return;
            }
        };
        match &mut share.room {
            Some(room) => room.merge(more),
            room => *room = Some(more),
        }
    }
}

/// Reads a body that nobody wants, so that its sender gets to reading the answer; not one that is very long.
async fn discard(mut body: Body) {
    let mut left = DISCARDED_BYTES;
    while body.size_hint().lower() <= left
        && let Some(Ok(frame)) = body.frame().await
    {
        let len = frame.data_ref().map_or(0, |data| data.len() as u64);
        let Some(rest) = left.checked_sub(len) else {
            return;
        };
        left = rest;
    }
}

fn kibibytes(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_pieces(pieces: &'static [&'static [u8]]) -> Body {
        let chunks = futures_util::stream::iter(pieces.iter().map(|c| Ok(Bytes::from_static(c))));
        streamed(chunks, None)
    }

    #[tokio::test]
    async fn bodies_are_read_up_to_their_limit() {
        let buffers = Buffers::new(4096);
        assert_eq!(buffers.hold(of_pieces(&[]), 4).await.unwrap().bytes, "");
        assert_eq!(
            buffers
                .hold(of_pieces(&[b"ab", b"", b"cd"]), 4)
                .await
                .unwrap()
                .bytes,
            "abcd"
        );
        assert_eq!(buffers.hold(full("abcd"), 4).await.unwrap().bytes, "abcd");
        for body in [full("abcde"), of_pieces(&[b"ab", b"cd", b"e"])] {
            assert!(matches!(
                buffers.hold(body, 4).await,
                Err(HoldError::TooLong { limit: 4 })
            ));
        }
        assert_eq!(
            (
                buffers.kibibytes.available_permits(),
                buffers.last.available_permits()
            ),
            (4, 1),
            "all room is given back"
        );
    }

    #[tokio::test]
    async fn a_streamed_body_announces_what_is_left_of_it() {
        let two = futures_util::stream::iter([Ok(Bytes::from("ab")), Ok(Bytes::from("c"))]);
        let mut body = streamed(two, Some(3));
        assert_eq!(body.size_hint().exact(), Some(3));
        body.frame().await.unwrap().unwrap();
        assert_eq!(body.size_hint().exact(), Some(1));
        assert_eq!(of_pieces(&[]).size_hint().exact(), None);
    }

    #[tokio::test]
    async fn a_body_waits_until_there_is_room() {
        let buffers = Buffers::new(BODY_STEP_BYTES * BODY_WEIGHT);
        let first = buffers.hold(full("x"), 4).await.unwrap();
        let beyond = buffers.hold(full("y"), 4).await.unwrap();
        let mut third = std::pin::pin!(buffers.hold(full("z"), 4));
        assert!(futures_util::poll!(third.as_mut()).is_pending());
        drop(first);
        assert_eq!(third.await.unwrap().bytes, "z");
        drop(beyond);
    }

    #[tokio::test]
    async fn bodies_that_were_only_announced_take_no_room() {
        let buffers = Buffers::new(BODY_STEP_BYTES * BODY_WEIGHT);
        let silent = || {
            let chunks = Box::pin(futures_util::stream::pending());
            buffers.hold(streamed(chunks, Some(1 << 20)), 1 << 20)
        };
        let (mut one, mut two) = (std::pin::pin!(silent()), std::pin::pin!(silent()));
        assert!(
            futures_util::poll!(one.as_mut()).is_pending()
                && futures_util::poll!(two.as_mut()).is_pending()
        );
        assert_eq!(buffers.hold(full("x"), 4).await.unwrap().bytes, "x");
    }

    #[tokio::test]
    async fn bodies_that_fill_the_room_half_read_come_to_their_end_one_by_one() {
        let buffers = Buffers::new(BODY_STEP_BYTES * BODY_WEIGHT * 4);
        let piece = Bytes::from(vec![0; BODY_STEP_BYTES]);
        let long = || {
            let chunks = futures_util::stream::iter(vec![piece.clone(); 8]).then(|piece| async {
                tokio::task::yield_now().await;
                Ok(piece)
            });
            buffers.hold(streamed(chunks, None), 1 << 20)
        };
        let all = futures_util::future::join_all(
            (0..6).map(|_| async { long().await.unwrap().bytes.len() }),
        )
        .await;
        assert_eq!(all, [8 * BODY_STEP_BYTES; 6]);
        assert_eq!(
            (
                buffers.kibibytes.available_permits(),
                buffers.last.available_permits()
            ),
            (768, 1)
        );
    }

    #[tokio::test]
    async fn an_answer_gives_its_room_back_when_its_last_piece_is_taken() {
        let buffers = Buffers::new(4 * ANSWER_CHUNK_BYTES);
        let mut share = buffers.take(usize::MAX).await;
        let bytes = Bytes::from(vec![7; 2 * ANSWER_CHUNK_BYTES + 1]);
        share.keep(bytes.len());
        assert!(buffers.kibibytes.available_permits() > 0);
        let mut body = shared(bytes.clone(), share);
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let mut taken = Vec::new();
        while let Some(piece) = body.frame().await {
            assert!(buffers.kibibytes.available_permits() < 4 * ANSWER_CHUNK_BYTES / 1024);
            taken.extend_from_slice(&piece.unwrap().into_data().unwrap());
        }
        drop(body);
        assert_eq!(taken, bytes);
        assert_eq!(
            buffers.kibibytes.available_permits(),
            4 * ANSWER_CHUNK_BYTES / 1024
        );
    }
}
