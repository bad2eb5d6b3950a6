//! A request's body, as it comes on its stream.
//!
//! What was read of it makes room for more: what its reader keeps is the reader's to bound. Trailers are passed over, as
//! in HTTP/1.1.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use h2::RecvStream;
use http::{HeaderMap, header};
use http_body::{Frame, SizeHint};

use crate::{http2::reply::Greeting, limits::PROGRESS_BYTES, progress::Progress};

/// A request's body, whose client must keep sending while it is waited for.
pub(crate) struct Incoming {
    stream: RecvStream,
    /// The bytes that are to come, where that is known.
    left: Option<u64>,
    /// For a client that waits to be told to send.
    greeting: Option<Greeting>,
    progress: Progress,
}

impl Incoming {
    pub(super) fn new(
        stream: RecvStream,
        headers: &HeaderMap,
        greeting: Option<Greeting>,
        progress: Progress,
    ) -> Self {
        let left = if stream.is_end_stream() {
            Some(0)
        } else {
            announced(headers)
        };
        Self {
            stream,
            left,
            greeting,
            progress,
        }
    }

    /// Whether its client waits to be told to send it.
    pub(crate) fn is_held_back(&self) -> bool {
        self.greeting.is_some()
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        let polled = this.stream.poll_data(context);
        if let Some(greeting) = this.greeting.take()
            && polled.is_pending()
        {
            greeting.send();
        }
        let Some(data) = ready!(this.progress.or_time_out(polled, moved, context))? else {
            return Poll::Ready(None);
        };
        let data = data.map_err(io::Error::other)?;
        // It fails for a stream that is over, which needs no room.
        let _ = this.stream.flow_control().release_capacity(data.len());
        this.left = this.left.map(|left| left.saturating_sub(data.len() as u64));
        Poll::Ready(Some(Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The length that a request has announced, to which `h2` holds it.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// The bytes that came; an end and an error are as good as all.
fn moved(data: &Option<Result<Bytes, h2::Error>>) -> usize {
    match data {
        Some(Ok(data)) => data.len(),
        _ => PROGRESS_BYTES,
    }
}
