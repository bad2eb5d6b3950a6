//! Bodies: one type for requests and answers.
//!
//! Those that are held in memory are `buffers`' to count.

use std::{
    io,
    pin::Pin,
    task::{self, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, StreamBody, combinators::UnsyncBoxBody};

use crate::{http1, http2, limits::ANSWER_CHUNK_BYTES, room::Share};

/// A request's or an answer's body.
pub struct Body(Kind);

enum Kind {
    Full(Bytes),
    Http1(http1::incoming::Incoming),
    Http2(Box<http2::incoming::Incoming>),
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

    /// Whether its sender waits to be told to send it, and has not been.
    pub(crate) fn is_held_back(&self) -> bool {
        match &self.0 {
            Kind::Http1(body) => body.is_held_back(),
            Kind::Http2(body) => body.is_held_back(),
            Kind::Full(_) | Kind::Other(_) => false,
        }
    }

    /// The body as it comes on a connection of HTTP/1.1, and its length, where that is known; otherwise the same body.
    pub(crate) fn into_counted(self) -> Result<(http1::incoming::Incoming, u64), Self> {
        match self.0 {
            Kind::Http1(incoming) if let Some(len) = incoming.left() => Ok((incoming, len)),
            kind => Err(Self(kind)),
        }
    }
}

impl From<http1::incoming::Incoming> for Body {
    fn from(incoming: http1::incoming::Incoming) -> Self {
        Self(Kind::Http1(incoming))
    }
}

impl From<http2::incoming::Incoming> for Body {
    fn from(incoming: http2::incoming::Incoming) -> Self {
        Self(Kind::Http2(Box::new(incoming)))
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
            Kind::Http1(body) => Pin::new(body).poll_frame(context),
            Kind::Http2(body) => Pin::new(body).poll_frame(context),
            Kind::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Full(bytes) => bytes.is_empty(),
            Kind::Http1(body) => body.is_end_stream(),
            Kind::Http2(body) => body.is_end_stream(),
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Http1(body) => body.size_hint(),
            Kind::Http2(body) => body.size_hint(),
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

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;
    use crate::room::Room;

    #[tokio::test]
    async fn a_streamed_body_announces_what_is_left_of_it() {
        let two = futures_util::stream::iter([Ok(Bytes::from("ab")), Ok(Bytes::from("c"))]);
        let mut body = streamed(two, Some(3));
        assert_eq!(body.size_hint().exact(), Some(3));
        body.frame().await.unwrap().unwrap();
        assert_eq!(body.size_hint().exact(), Some(1));
        assert_eq!(
            streamed(futures_util::stream::empty(), None)
                .size_hint()
                .exact(),
            None
        );
    }

    #[tokio::test]
    async fn an_answer_gives_its_room_back_when_its_last_piece_is_taken() {
        let room = Room::new(4 * ANSWER_CHUNK_BYTES);
        let mut share = room.take(usize::MAX).await;
        let bytes = Bytes::from(vec![7; 2 * ANSWER_CHUNK_BYTES + 1]);
        share.keep(bytes.len());
        assert!(room.free().0 > 0);
        let mut body = shared(bytes.clone(), share);
        assert_eq!(body.size_hint().exact(), Some(bytes.len() as u64));
        let mut taken = Vec::new();
        while let Some(piece) = body.frame().await {
            assert!(room.free().0 < 4 * ANSWER_CHUNK_BYTES / 1024);
            taken.extend_from_slice(&piece.unwrap().into_data().unwrap());
        }
        drop(body);
        assert_eq!(taken, bytes);
        assert_eq!(room.free().0, 4 * ANSWER_CHUNK_BYTES / 1024);
    }
}
