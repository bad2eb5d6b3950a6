//! A request's body, as a handle to the connection that it comes on.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use parking_lot::Mutex;

use crate::http1::{
    body_state::{BodyState, at_most},
    transport::Transport,
};

/// A request's body on its connection. A handle that is kept beyond its request neither reads what follows nor keeps the
/// connection open: it fails.
pub(crate) struct Incoming {
    transport: Weak<Mutex<Transport>>,
    /// The request that it belongs to.
    epoch: u64,
}

impl Incoming {
    /// The body that the connection is in.
    pub(crate) fn new(transport: &Arc<Mutex<Transport>>) -> Self {
        let epoch = transport.lock().epoch();
        let transport = Arc::downgrade(transport);
        Self { transport, epoch }
    }

    /// How much is still to come, where that is known.
    pub(crate) fn left(&self) -> Option<u64> {
        self.with(|transport| transport.body.left())?
    }

    /// Whether the client waits to be told to send it, and has not been.
    pub(crate) fn is_held_back(&self) -> bool {
        self.with(|transport| transport.greets())
            .unwrap_or_default()
    }

    /// Waits for a piece of a body that is not at its end; the bytes of it that were read ahead, at least one.
    pub(crate) async fn arrived(&self) -> io::Result<usize> {
        std::future::poll_fn(|context| self.poll(|transport| transport.poll_arrived(context))).await
    }

    /// Reads at most `most` bytes more of a body of known length that is not at its end, behind what is in `into`, which
    /// has room for them.
    pub(crate) async fn read_more(&self, into: &mut Vec<u8>, most: usize) -> io::Result<()> {
        let read = |transport: &mut Transport, context: &mut Context<'_>, into: &mut Vec<u8>| {
            transport.poll_body_into(context, into, most)
        };
        std::future::poll_fn(|context| self.poll(|transport| read(transport, context, into))).await
    }

    /// Asks the connection, as long as the request is the one that runs there.
    fn with<T>(&self, ask: impl FnOnce(&mut Transport) -> T) -> Option<T> {
        let transport = self.transport.upgrade()?;
        let mut transport = transport.lock();
        (transport.epoch() == self.epoch).then(|| ask(&mut transport))
    }

    fn poll<T>(
        &self,
        read: impl FnOnce(&mut Transport) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        let over = || io::Error::new(io::ErrorKind::NotConnected, "its request is over");
        self.with(read).unwrap_or_else(|| Poll::Ready(Err(over())))
    }
}

impl http_body::Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let piece = ready!(self.poll(|transport| transport.poll_body(context)));
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

impl Transport {
    /// The next piece of the body, empty at its end.
    fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<io::Result<Bytes>> {
        ready!(self.poll_greeting(context))?;
        loop {
            if let Some(piece) = self.body.take(&mut self.input)? {
                return Poll::Ready(Ok(piece));
            }
            ready!(self.poll_more(context))?;
        }
    }

    /// Ready when something of the body was read ahead; how much.
    fn poll_arrived(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        ready!(self.poll_greeting(context))?;
        if self.input.is_empty() {
            ready!(self.poll_more(context))?;
        }
        Poll::Ready(Ok(self.input.len()))
    }

    /// Some more of a body of known length, behind what is in `into`.
    fn poll_body_into(
        &mut self,
        context: &mut Context<'_>,
        into: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<()>> {
        let BodyState::Length(left) = self.body else {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        };
        let most = at_most(left, most);
        let read = if self.input.is_empty() {
            ready!(self.poll_read_into(context, into, most))?
        } else {
            let piece = self.input.split_to(self.input.len().min(most));
            into.extend_from_slice(&piece);
            piece.len()
        };
        if read == 0 {
            return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
        }
        self.body.pass(read);
        Poll::Ready(Ok(()))
    }

    /// Reads more ahead of a body that must go on.
    fn poll_more(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.poll_fill(context))? {
            0 => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}
