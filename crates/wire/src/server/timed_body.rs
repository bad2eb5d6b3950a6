//! A request's body that must keep coming.

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

/// Fails when nothing comes for some time.
pub(super) struct TimedBody {
    body: Incoming,
    clock: Arc<dyn Clock>,
    idle: Duration,
    /// The time-out that runs while bytes are waited for.
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl TimedBody {
    pub(super) fn new(body: Incoming, clock: Arc<dyn Clock>, idle: Duration) -> Self {
        Self { body, clock, idle, waiting: None }
    }
}

impl Body for TimedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(io::Error::other)));
        }
        let waiting = this.waiting.get_or_insert_with(|| {
            let (clock, idle) = (this.clock.clone(), this.idle);
            Box::pin(async move { clock.sleep(idle).await })
        });
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into()))),
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
