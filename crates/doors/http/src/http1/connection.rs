//! A connection in HTTP/1.1 as its loop has it: reading, writing and waiting, each beside what may end it.

use std::{
    io,
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
};

use bytes::Buf;
use parking_lot::Mutex;

use crate::{
    date::Date,
    exchange::Client,
    http1::{body_state::BodyState, transport::Transport},
    limits::DISCARDED_BYTES,
    progress::Progress,
    serving::Shared,
    slots::Shutdown,
    socket::{Resumed, Socket},
};

pub(crate) struct Connection<'a> {
    pub(crate) transport: Arc<Mutex<Transport>>,
    pub(crate) client: &'a Client,
    pub(crate) shared: &'a Shared,
    /// For the next request's head.
    progress: Progress,
    /// The time of the last answer.
    date: Date,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(socket: Socket, client: &'a Client, shared: &'a Shared) -> Self {
        let progress = |idle| Progress::new(shared.env.clock.clone(), idle);
        let limits = &shared.serving.limits;
        let (reading, writing) = (progress(limits.body_idle), progress(limits.body_idle));
        let transport = Arc::new(Mutex::new(Transport::new(socket, reading, writing)));
        Self {
            transport,
            client,
            shared,
            progress: progress(limits.idle),
            date: Date::default(),
        }
    }

    /// The client has all its time for the next request.
    pub(crate) fn restart_idle(&mut self) {
        self.progress.restart();
    }

    /// Reads the next bytes of a head; false when none come.
    pub(crate) async fn read_ahead(&mut self) -> io::Result<bool> {
        let Self {
            transport,
            client,
            progress,
            ..
        } = self;
        std::future::poll_fn(|context| {
            let shutdown = client.slot.poll_shutdown(Shutdown::Graceful, context);
            if shutdown.is_ready() {
                return Poll::Ready(Ok(false));
            }
            let polled = transport.lock().poll_ahead(context);
            match ready!(progress.or_time_out(polled, |_| 0, context)) {
                Ok(read) => Poll::Ready(read.map(|read| read > 0)),
                // A silent client is left without a word, as one expects that keeps connections.
                Err(_) => Poll::Ready(Ok(false)),
            }
        })
        .await
    }

    /// Waits for something to be made while the client is still there, and nobody has put an end to everything.
    pub(crate) async fn beside<T>(&mut self, made: impl Future<Output = T>) -> io::Result<T> {
        let mut made = pin!(made);
        std::future::poll_fn(|context| {
            if let Poll::Ready(made) = made.as_mut().poll(context) {
                return Poll::Ready(Ok(made));
            }
            let most = self.shared.serving.limits.head_bytes;
            let slot = &self.client.slot;
            let is_over = self.transport.lock().poll_hung_up(context, most).is_ready()
                || slot.poll_shutdown(Shutdown::Abort, context).is_ready();
            if is_over {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Writes a part of an answer. From the first one on the client is not greeted any more: a greeting in an answer
    /// would be taken for a part of it.
    pub(crate) async fn write(&mut self, bytes: impl Buf) -> io::Result<()> {
        let mut bytes = self.transport.lock().end_greeting().chain(bytes);
        std::future::poll_fn(|context| {
            if let Poll::Ready(done) = self.transport.lock().poll_write(context, &mut bytes) {
                return Poll::Ready(done);
            }
            ready!(self.client.slot.poll_shutdown(Shutdown::Abort, context));
            Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
        })
        .await
    }

    /// Ends the connection. Bytes that the client still sends are read and forgotten for a while: to close before would
    /// take the answer away from it (RFC 9112, section 9.6).
    pub(crate) async fn close(&mut self, still_sends: bool) -> io::Result<()> {
        std::future::poll_fn(|context| self.transport.lock().poll_shutdown(context)).await?;
        self.transport.lock().begin(BodyState::Nothing);
        let mut left = if still_sends { DISCARDED_BYTES } else { 0 };
        while left > 0 {
            let read = std::future::poll_fn(|context| {
                let slot = &self.client.slot;
                if slot.poll_shutdown(Shutdown::Graceful, context).is_ready() {
                    return Poll::Ready(Ok(0));
                }
                let mut transport = self.transport.lock();
                transport.input.clear();
                transport.poll_fill(context)
            });
            match read.await? as u64 {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok(())
    }

    /// The time as an answer's `Date` has it.
    pub(crate) fn date(&mut self) -> &[u8] {
        self.date.now(&*self.shared.env.clock).as_bytes()
    }

    /// The socket for the version of HTTP that goes on with it, unless a body is being read at this moment.
    pub(crate) fn resume(self) -> Option<Resumed> {
        let transport = Arc::into_inner(self.transport)?.into_inner();
        let (before, socket) = transport.into_parts();
        Some(Resumed::new(before.freeze(), socket))
    }
}
