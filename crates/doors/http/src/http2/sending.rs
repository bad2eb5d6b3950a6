//! Answers as they go: the head, and the body as it is made and as the client takes it.

use std::{
    future::poll_fn,
    io,
    task::{Poll, ready},
};

use bytes::Bytes;
use h2::{Reason, SendStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Method, Response, Version, header};
use http_body_util::BodyExt;

use crate::{
    Body,
    headers::OF_CONNECTION,
    http2::Connection,
    length::{self, Length},
    limits::SEND_PIECE_BYTES,
    progress::Progress,
};

/// Sends an answer.
///
/// # Errors
/// When the client did not take it in time or wants no more of it, or when its body broke off: then the stream is reset.
pub(super) async fn send(
    mut reply: SendResponse<Bytes>,
    response: Response<Body>,
    method: &Method,
    connection: &Connection,
) -> io::Result<()> {
    let (mut head, body) = response.into_parts();
    head.version = Version::HTTP_2;
    let length = length::of(&head, &body, method);
    complete(&mut head.headers, length, connection);
    let has_body = !matches!(length, Length::None | Length::Known(0));
    let sent = match reply.send_response(Response::from_parts(head, ()), !has_body) {
        Ok(stream) if has_body => Sending::new(stream, length, connection).send(body).await,
        Ok(_) => Ok(()),
        Err(error) => Err(io::Error::other(error)),
    };
    sent.inspect_err(|_| reply.send_reset(Reason::INTERNAL_ERROR))
}

/// Adds to an answer's headers what is told of its length and its time, and takes away what has no place in HTTP/2.
fn complete(headers: &mut HeaderMap, length: Length, connection: &Connection) {
    for name in &OF_CONNECTION {
        headers.remove(name);
    }
    if let Length::Known(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    if !headers.contains_key(header::DATE) {
        let clock = &*connection.shared.env.clock;
        headers.insert(header::DATE, connection.date.lock().now(clock).clone());
    }
}

/// A body on its way.
struct Sending {
    stream: SendStream<Bytes>,
    /// Its length, where it was announced.
    length: Option<u64>,
    progress: Progress,
}

impl Sending {
    fn new(stream: SendStream<Bytes>, length: Length, connection: &Connection) -> Self {
        let length = match length {
            Length::Known(length) => Some(length),
            _ => None,
        };
        Self {
            stream,
            length,
            progress: connection.progress(),
        }
    }

    async fn send(mut self, mut body: Body) -> io::Result<()> {
        let mut sent = 0;
        while self.length != Some(sent) {
            let Some(data) = self.next(&mut body).await? else {
                return self.end();
            };
            sent += data.len() as u64;
            if let Some(length) = self.length.filter(|length| sent > *length) {
                return Err(length::is_another(length));
            }
            self.send_data(data, self.length == Some(sent)).await?;
        }
        Ok(())
    }

    /// The next piece of the body, none at its end, while the client is still there.
    async fn next(&mut self, body: &mut Body) -> io::Result<Option<Bytes>> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = body.frame() => frame.transpose()?,
                _ = poll_fn(|context| self.stream.poll_reset(context)) => return Err(gone()),
            };
            match frame.map(http_body::Frame::into_data) {
                Some(Ok(data)) if !data.is_empty() => return Ok(Some(data)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    /// Ends a body whose end was not known before.
    fn end(mut self) -> io::Result<()> {
        match self.length {
            Some(length) => Err(length::is_another(length)),
            None => self
                .stream
                .send_data(Bytes::new(), true)
                .map_err(io::Error::other),
        }
    }

    /// Hands a piece over as the client has room for it, so that no more of it waits here.
    async fn send_data(&mut self, mut data: Bytes, is_last: bool) -> io::Result<()> {
        while !data.is_empty() {
            let room = self.room(data.len().min(SEND_PIECE_BYTES)).await?;
            let piece = data.split_to(room);
            let is_end = is_last && data.is_empty();
            self.stream
                .send_data(piece, is_end)
                .map_err(io::Error::other)?;
        }
        // The client is not waited for any more.
        self.progress.restart();
        Ok(())
    }

    /// Waits until the client takes something; how much, at most `wanted`.
    async fn room(&mut self, wanted: usize) -> io::Result<usize> {
        let Self {
            stream, progress, ..
        } = self;
        // Only for what is there to be sent: the room is taken from the connection's other answers.
        stream.reserve_capacity(wanted);
        poll_fn(|context| {
            let polled = match stream.capacity() {
                0 => stream.poll_capacity(context),
                room => Poll::Ready(Some(Ok(room))),
            };
            Poll::Ready(
                match ready!(progress.or_time_out(polled, moved, context))? {
                    Some(Ok(room)) => Ok(room.min(wanted)),
                    Some(Err(error)) => Err(io::Error::other(error)),
                    None => Err(gone()),
                },
            )
        })
        .await
    }
}

fn gone() -> io::Error {
    io::Error::new(
        io::ErrorKind::ConnectionAborted,
        "the client wants no more of it",
    )
}

/// The bytes for which there is room.
fn moved(room: &Option<Result<usize, h2::Error>>) -> usize {
    match room {
        Some(Ok(room)) => *room,
        _ => 0,
    }
}
