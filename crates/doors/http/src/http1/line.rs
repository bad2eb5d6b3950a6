//! A connection's line: its socket, what was read of it ahead, and how long its peer is waited for.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, BytesMut};
use headwater_env::buffers;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::{
    http1::incoming::Coming,
    limits::READ_BYTES,
    patience::{Patience, TimedSocket},
};

/// A socket, in the clear or not.
pub(crate) type Socket = Box<dyn Duplex>;

/// What can be read and written.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Duplex for S {}

/// A connection in HTTP/1.1, of which both its loop and the body of the request that runs hold a part.
pub(crate) struct Line {
    socket: TimedSocket<Socket>,
    /// What was read and not taken yet; a connection that rests has no memory for it.
    pub(crate) input: BytesMut,
    /// What is to come of the request that runs.
    pub(crate) coming: Coming,
    /// What the client waits for before it sends the body.
    pub(crate) greeting: &'static [u8],
    /// For a body that must keep coming.
    patience: Patience,
    /// The client sends nothing more.
    is_at_end: bool,
}

impl Line {
    /// A line whose peers have the patience for each piece that they send or take.
    pub(crate) fn new(socket: Socket, reading: Patience, writing: Patience) -> Self {
        Self {
            socket: TimedSocket::new(socket, writing),
            input: BytesMut::new(),
            coming: Coming::Nothing,
            greeting: b"",
            patience: reading,
            is_at_end: false,
        }
    }

    /// This is to come from now on, and has all the time that a client has.
    pub(crate) fn begin(&mut self, coming: Coming) {
        self.coming = coming;
        self.patience.restart();
    }

    /// What was read ahead, and the socket.
    pub(crate) fn into_parts(self) -> (BytesMut, Socket) {
        (self.input, self.socket.into_inner())
    }

    /// Reads more ahead; zero at the end.
    pub(crate) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.is_at_end {
            return Poll::Ready(Ok(0));
        }
        // On the stack until there is something, so that who waits for it takes no memory.
        let mut room = [const { MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut read))?;
        self.is_at_end = read.filled().is_empty();
        self.input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }

    /// The same while a body is waited for.
    pub(crate) fn poll_fill(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let polled = self.poll_ahead(context);
        self.patience
            .or_time_out(polled, moved, context)
            .map(io::Result::flatten)
    }

    /// Reads at most `most` bytes more of a body behind what is in `into`; zero at the end.
    pub(crate) fn poll_read_into(
        &mut self,
        context: &mut Context<'_>,
        into: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        buffers::reserve(into, most);
        let mut room = into.limit(most);
        let polled = std::pin::pin!(self.socket.read_buf(&mut room)).poll(context);
        self.patience
            .or_time_out(polled, moved, context)
            .map(io::Result::flatten)
    }

    /// Ready when the client has hung up, while a request runs whose body has come; what it sends meanwhile is read
    /// ahead, up to `most` bytes.
    pub(crate) fn poll_hung_up(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        while self.coming == Coming::Nothing && self.input.len() < most {
            if let Ok(1..) = ready!(self.poll_ahead(context)) {
                continue;
            }
            return Poll::Ready(());
        }
        Poll::Pending
    }

    /// Tells a client that waits with its body for it to go on.
    pub(crate) fn poll_greeting(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut greeting = std::mem::take(&mut self.greeting);
        if greeting.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let polled = self.poll_write(context, &mut greeting);
        self.greeting = greeting;
        polled
    }

    /// Writes all of `bytes`.
    pub(crate) fn poll_write(
        &mut self,
        context: &mut Context<'_>,
        bytes: &mut impl Buf,
    ) -> Poll<io::Result<()>> {
        while bytes.has_remaining() {
            let mut parts = [IoSlice::new(&[]); 4];
            let parts = {
                let count = bytes.chunks_vectored(&mut parts);
                &parts[..count]
            };
            let written = ready!(Pin::new(&mut self.socket).poll_write_vectored(context, parts))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            bytes.advance(written);
        }
        Pin::new(&mut self.socket).poll_flush(context)
    }

    /// Tells the client that nothing more comes.
    pub(crate) fn poll_shutdown(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

/// What a read has moved; an end and an error are as good as all.
fn moved(read: &io::Result<usize>) -> usize {
    match read {
        Ok(bytes @ 1..) => *bytes,
        _ => usize::MAX,
    }
}
