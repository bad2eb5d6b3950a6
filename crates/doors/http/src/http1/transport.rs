//! A connection's transport: its socket, the bytes read ahead of it, where the body of the request that runs stands,
//! and how long its peer is waited for.

use std::{
    io::{self, IoSlice},
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, BufMut, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use crate::{
    http1::body_state::BodyState,
    limits::READ_BYTES,
    progress::{Progress, TimedSocket},
    socket::Socket,
};

/// The transport of a connection in HTTP/1.1, for both its loop and the body of the request that runs.
pub(crate) struct Transport {
    socket: TimedSocket<Socket>,
    /// The bytes read and not taken yet; a connection that rests has no memory for them.
    pub(crate) input: BytesMut,
    /// The part that is to come of the body of the request that runs.
    pub(crate) body: BodyState,
    /// The number of the request that runs.
    epoch: u64,
    /// The rest of the line that the client waits for before it sends the body.
    greeting: &'static [u8],
    /// For a body that must keep coming.
    progress: Progress,
    /// The client sends nothing more.
    is_at_end: bool,
}

/// Tells a client to send the body for which it waits.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl Transport {
    /// A transport whose peer has these time-outs for each piece that it sends or takes.
    pub(crate) fn new(socket: Socket, reading: Progress, writing: Progress) -> Self {
        Self {
            socket: TimedSocket::new(socket, writing),
            input: BytesMut::new(),
            body: BodyState::Nothing,
            epoch: 0,
            greeting: b"",
            progress: reading,
            is_at_end: false,
        }
    }

    /// Goes on to another request, of which this body is to come, with all the time that a client has. Handles of the
    /// body before lose their connection.
    pub(crate) fn begin(&mut self, body: BodyState) {
        self.body = body;
        self.epoch += 1;
        self.greeting = b"";
        self.progress.restart();
    }

    /// The number of the request that runs.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Has the client told to go on as soon as the body is wanted.
    pub(crate) fn greet(&mut self) {
        self.greeting = CONTINUE;
    }

    /// Whether the client is still to be told.
    pub(crate) fn greets(&self) -> bool {
        self.greeting == CONTINUE
    }

    /// Greets no more, since an answer begins; the rest of a greeting that was begun, which belongs before it.
    pub(crate) fn end_greeting(&mut self) -> &'static [u8] {
        let rest = std::mem::take(&mut self.greeting);
        if rest.len() < CONTINUE.len() {
            rest
        } else {
            b""
        }
    }

    /// The bytes read ahead, and the socket.
    pub(crate) fn into_parts(self) -> (BytesMut, Socket) {
        (self.input, self.socket.into_inner())
    }

    /// Reads more ahead; zero at the end.
    pub(crate) fn poll_ahead(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.is_at_end {
            return Poll::Ready(Ok(0));
        }
        // On the stack until there is something: a connection that waits takes no memory.
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
        self.progress
            .or_time_out(polled, moved, context)
            .map(io::Result::flatten)
    }

    /// Reads at most `most` bytes more of a body behind what is in `into`, which has room for them; zero at the end.
    pub(crate) fn poll_read_into(
        &mut self,
        context: &mut Context<'_>,
        into: &mut Vec<u8>,
        most: usize,
    ) -> Poll<io::Result<usize>> {
        let mut room = into.limit(most);
        let polled = std::pin::pin!(self.socket.read_buf(&mut room)).poll(context);
        self.progress
            .or_time_out(polled, moved, context)
            .map(io::Result::flatten)
    }

    /// Ready when the client has hung up, while a request runs whose body has come; bytes that it sends meanwhile are
    /// read ahead, up to `most`.
    pub(crate) fn poll_hung_up(&mut self, context: &mut Context<'_>, most: usize) -> Poll<()> {
        while self.body == BodyState::Nothing && self.input.len() < most {
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

/// The bytes that a read has moved; an end and an error are as good as all.
fn moved(read: &io::Result<usize>) -> usize {
    match read {
        Ok(bytes @ 1..) => *bytes,
        _ => usize::MAX,
    }
}
