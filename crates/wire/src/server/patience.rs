//! Peers that must keep reading and writing: bodies and sockets that fail when nothing moves for some time.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use headwater_env::Clock;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How long a peer may let us wait, and the time-out that runs while it does.
pub(super) struct Patience {
    clock: Arc<dyn Clock>,
    idle: Duration,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Patience {
    pub(super) fn new(clock: Arc<dyn Clock>, idle: Duration) -> Self {
        Self { clock, idle, waiting: None }
    }

    /// Passes `polled` on; fails instead of waiting longer than the patience lasts.
    fn or_time_out<T>(&mut self, polled: Poll<T>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if let Poll::Ready(done) = polled {
            self.waiting = None;
            return Poll::Ready(Ok(done));
        }
        let waiting = self.waiting.get_or_insert_with(|| {
            let (clock, idle) = (self.clock.clone(), self.idle);
            Box::pin(async move { clock.sleep(idle).await })
        });
        waiting.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

/// A request's body that must keep coming.
pub(super) struct TimedBody {
    body: Incoming,
    patience: Patience,
}

impl TimedBody {
    pub(super) fn new(body: Incoming, patience: Patience) -> Self {
        Self { body, patience }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        self.patience.or_time_out(polled, context).map(|frame| match frame {
            Ok(frame) => frame.map(|frame| frame.map_err(io::Error::other)),
            Err(error) => Some(Err(error)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A socket whose peer must keep taking what it is sent.
pub(super) struct TimedSocket<S> {
    socket: S,
    patience: Patience,
}

impl<S> TimedSocket<S> {
    pub(super) fn new(socket: S, patience: Patience) -> Self {
        Self { socket, patience }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedSocket<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedSocket<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.patience.or_time_out(polled, context).map(io::Result::flatten)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write_vectored(context, parts);
        self.patience.or_time_out(polled, context).map(io::Result::flatten)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_flush(context);
        self.patience.or_time_out(polled, context).map(io::Result::flatten)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.socket).poll_shutdown(context);
        self.patience.or_time_out(polled, context).map(io::Result::flatten)
    }
}
