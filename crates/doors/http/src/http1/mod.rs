//! HTTP/1.1 (RFC 9112): one request after the other on a line, each answered before the next is taken.
//!
//! Owns the loop, and what may end it: the client, its slowness, a body that is not what was announced, the seat that is
//! asked for. What a request means is not known here.

pub(crate) mod head;
pub(crate) mod incoming;
pub(crate) mod line;
#[cfg(test)]
mod tests;

use std::{
    io,
    pin::pin,
    sync::Arc,
    task::{Poll, ready},
};

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body as _;
use http_body_util::BodyExt;
use parking_lot::Mutex;

use crate::{
    Body, body,
    connection::{self, Client},
    h2c,
    http1::{
        head::{Head, Length},
        incoming::{Coming, Incoming},
        line::{Line, Socket},
    },
    limits::{DISCARDED_BYTES, JOINED_BYTES},
    patience::Patience,
    resumed::Resumed,
    seats::Wish,
    server::Shared,
};

/// How a client begins that speaks HTTP/2 without asking.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Answers what comes until the connection ends, or goes on in HTTP/2.
pub(crate) async fn serve(socket: Socket, client: &Client, shared: &Shared) -> Option<Resumed> {
    let mut connection = Connection::new(socket, client, shared);
    match connection.run().await {
        Ok(End::Closed) => None,
        Ok(End::Http2) => Some(connection.resume()?),
        Ok(End::Upgraded(first)) => {
            let begun = h2c::begin(connection.resume()?, &first);
            tokio::select! {
                begun = begun => begun.inspect_err(|error| client.broke(error)).ok(),
                () = shared.env.clock.sleep(shared.serving.limits.idle) => None,
            }
        }
        Err(error) => {
            client.broke(&error);
            None
        }
    }
}

/// How a connection in HTTP/1.1 ends.
enum End {
    Closed,
    /// The client speaks HTTP/2.
    Http2,
    /// It is asked to begin with HTTP/2, and this stands for its first request there.
    Upgraded(Bytes),
}

/// What comes next on a line.
enum Next {
    Request(Box<Head>),
    /// No request, and what to say about it.
    Bad(StatusCode),
    /// HTTP/2.
    Http2,
    End,
}

struct Connection<'a> {
    line: Arc<Mutex<Line>>,
    client: &'a Client,
    shared: &'a Shared,
    /// For the next request's head.
    patience: Patience,
    /// The second of the last answer, as its `Date` has it.
    date: (i64, String),
}

impl<'a> Connection<'a> {
    fn new(socket: Socket, client: &'a Client, shared: &'a Shared) -> Self {
        let patience = |idle| Patience::new(shared.env.clock.clone(), idle);
        let limits = &shared.serving.limits;
        let line = Line::new(
            socket,
            patience(limits.body_idle),
            patience(limits.body_idle),
        );
        let line = Arc::new(Mutex::new(line));
        Self {
            line,
            client,
            shared,
            patience: patience(limits.idle),
            date: (i64::MIN, String::new()),
        }
    }

    async fn run(&mut self) -> io::Result<End> {
        let mut is_first = true;
        loop {
            let head = match self.next(is_first).await? {
                Next::Request(head) => head,
                Next::Http2 => return Ok(End::Http2),
                Next::End => return Ok(End::Closed),
                Next::Bad(status) => {
                    self.refuse(status).await?;
                    return Ok(End::Closed);
                }
            };
            is_first = false;
            let busy = self.client.seat.busy(&self.shared.env);
            let (version, method, stays) =
                (head.parts.version, head.parts.method.clone(), head.stays);
            let request = self.request(head);
            let (response, first) = if h2c::asks(&request) {
                self.upgrade(request).await?
            } else {
                (self.answer(request).await?, None)
            };
            let stays = self.send(response, &method, version, stays).await?;
            drop(busy);
            match first {
                Some(first) => return Ok(End::Upgraded(first)),
                None if stays => {}
                None => {
                    let still_sends = self.line.lock().coming != Coming::Nothing;
                    self.close(still_sends).await?;
                    return Ok(End::Closed);
                }
            }
        }
    }

    /// Waits for the next request.
    async fn next(&mut self, is_first: bool) -> io::Result<Next> {
        let (limit, mut seen) = (self.shared.serving.limits.head_bytes, 0);
        self.patience.restart();
        loop {
            {
                let mut line = self.line.lock();
                if is_first
                    && PREFACE.starts_with(&line.input[..line.input.len().min(PREFACE.len())])
                {
                    if line.input.len() >= PREFACE.len() {
                        return Ok(Next::Http2);
                    }
                } else {
                    match head::take(&mut line.input, &mut seen, limit) {
                        Ok(Some(head)) => return Ok(Next::Request(Box::new(head))),
                        Ok(None) => {}
                        Err(status) => return Ok(Next::Bad(status)),
                    }
                }
                if line.input.is_empty() {
                    // A connection that rests keeps no room.
                    line.input = BytesMut::new();
                }
            }
            if !self.read_ahead().await? {
                return Ok(Next::End);
            }
        }
    }

    /// Reads what comes next of a head; false when nothing does.
    async fn read_ahead(&mut self) -> io::Result<bool> {
        let Self {
            line,
            client,
            patience,
            ..
        } = self;
        std::future::poll_fn(|context| {
            if client.seat.poll_wish(Wish::Leave, context).is_ready() {
                return Poll::Ready(Ok(false));
            }
            let polled = line.lock().poll_ahead(context);
            match ready!(patience.or_time_out(polled, |_| 0, context)) {
                Ok(read) => Poll::Ready(read.map(|read| read > 0)),
                // Who says nothing is left without a word, as a client expects that keeps connections.
                Err(_) => Poll::Ready(Ok(false)),
            }
        })
        .await
    }

    /// The request of a head, with the body that follows it.
    fn request(&self, head: Box<Head>) -> Request<Body> {
        let mut line = self.line.lock();
        line.begin(head.coming);
        let body = match head.coming {
            Coming::Nothing => body::empty(),
            // It is here already.
            Coming::Length(length) if length <= line.input.len() as u64 => {
                line.coming = Coming::Nothing;
                body::full(line.input.split_to(length as usize).freeze())
            }
            _ => {
                if expects_greeting(&head.parts.headers) && head.parts.version == Version::HTTP_11 {
                    line.greeting = b"HTTP/1.1 100 Continue\r\n\r\n";
                }
                Body::from(Incoming::new(self.line.clone()))
            }
        };
        Request::from_parts(head.parts, body)
    }

    async fn answer(&mut self, request: Request<Body>) -> io::Result<Response<Body>> {
        let (client, shared) = (self.client, self.shared);
        self.beside(connection::answer(request, client, shared))
            .await
    }

    /// The answer that changes the connection to HTTP/2, and the request that it was asked with, as HTTP/2 has it; or
    /// the request's answer, where that is not possible.
    async fn upgrade(
        &mut self,
        request: Request<Body>,
    ) -> io::Result<(Response<Body>, Option<Bytes>)> {
        match h2c::take(request, &self.shared.serving.buffers).await {
            Ok(h2c::Asked::Not(request)) => Ok((self.answer(request).await?, None)),
            Ok(h2c::Asked::Upgrade(first, response)) => Ok((response, Some(first))),
            Err(error) => Ok((self.shared.serving.service.body_failed(&error), None)),
        }
    }

    /// What is made while the client is still there, and nobody has put an end to everything.
    async fn beside<T>(&mut self, made: impl Future<Output = T>) -> io::Result<T> {
        let mut made = pin!(made);
        std::future::poll_fn(|context| {
            if let Poll::Ready(made) = made.as_mut().poll(context) {
                return Poll::Ready(Ok(made));
            }
            let most = self.shared.serving.limits.head_bytes;
            let is_over = self.line.lock().poll_hung_up(context, most).is_ready()
                || self.client.seat.poll_wish(Wish::Drop, context).is_ready();
            if is_over {
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            } else {
                Poll::Pending
            }
        })
        .await
    }

    /// Sends an answer; whether another request may follow.
    async fn send(
        &mut self,
        response: Response<Body>,
        method: &Method,
        version: Version,
        stays: bool,
    ) -> io::Result<bool> {
        let (mut head, mut body) = response.into_parts();
        head.version = version;
        let length = length(&head, &body, method);
        let is_asked_to_close = h2c::has_token(&head.headers, &header::CONNECTION, "close");
        let stays = stays
            && !is_asked_to_close
            && length != Length::Close
            // What is left of a body that nobody read would be taken for a request.
            && self.line.lock().coming == Coming::Nothing
            && self.client.seat.wish() == Wish::Stay;
        let connection = match (stays, version) {
            _ if head.status == StatusCode::SWITCHING_PROTOCOLS => "",
            (false, _) => "close",
            (true, Version::HTTP_10) => "keep-alive",
            (true, _) => "",
        };
        self.set_date();
        let mut out =
            BytesMut::with_capacity(HEAD_ROOM + body.in_memory().unwrap_or(0).min(JOINED_BYTES));
        head::write(&mut out, &head, self.date.1.as_bytes(), length, connection);
        match length {
            Length::None => self.write(out).await?,
            Length::Known(length) => self.send_counted(out, body, length).await?,
            Length::Chunked => {
                self.write(out).await?;
                while let Some(data) = self.piece(&mut body).await? {
                    let size = Bytes::from(format!("{:x}\r\n", data.len()));
                    self.write(size.chain(data).chain(&b"\r\n"[..])).await?;
                }
                self.write(&b"0\r\n\r\n"[..]).await?;
            }
            Length::Close => {
                self.write(out).await?;
                while let Some(data) = self.piece(&mut body).await? {
                    self.write(data).await?;
                }
            }
        }
        Ok(stays)
    }

    /// Sends a body that is as long as its head says, the first piece together with the head.
    async fn send_counted(
        &mut self,
        head: BytesMut,
        mut body: Body,
        length: u64,
    ) -> io::Result<()> {
        let (mut head, mut left) = (Some(head), length);
        while left > 0
            && let Some(piece) = self.piece(&mut body).await?
        {
            left = left
                .checked_sub(piece.len() as u64)
                .ok_or_else(|| wrong_length(length))?;
            match head.take() {
                None => self.write(piece).await?,
                Some(mut head) if piece.len() <= JOINED_BYTES => {
                    head.extend_from_slice(&piece);
                    self.write(head).await?;
                }
                Some(head) => self.write(head.chain(piece)).await?,
            }
        }
        match head {
            _ if left > 0 => Err(wrong_length(length)),
            Some(head) => self.write(head).await,
            None => Ok(()),
        }
    }

    /// The next piece of an answer's body, none at its end.
    async fn piece(&mut self, body: &mut Body) -> io::Result<Option<Bytes>> {
        loop {
            let frame = match body.in_memory() {
                Some(_) => body.frame().await,
                None => self.beside(body.frame()).await?,
            };
            match frame.transpose()?.map(http_body::Frame::into_data) {
                Some(Ok(data)) if !data.is_empty() => return Ok(Some(data)),
                Some(_) => {}
                None => return Ok(None),
            }
        }
    }

    async fn write(&mut self, mut bytes: impl Buf) -> io::Result<()> {
        std::future::poll_fn(|context| {
            if let Poll::Ready(done) = self.line.lock().poll_write(context, &mut bytes) {
                return Poll::Ready(done);
            }
            ready!(self.client.seat.poll_wish(Wish::Drop, context));
            Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
        })
        .await
    }

    /// Says why something is no request.
    async fn refuse(&mut self, status: StatusCode) -> io::Result<()> {
        let mut response = Response::new(body::empty());
        *response.status_mut() = status;
        self.send(response, &Method::GET, Version::HTTP_11, false)
            .await?;
        self.close(true).await
    }

    /// Ends the connection. What the client still sends is read and forgotten for a while: to close before it would
    /// take the answer away from it (RFC 9112, section 9.6).
    async fn close(&mut self, still_sends: bool) -> io::Result<()> {
        std::future::poll_fn(|context| self.line.lock().poll_shutdown(context)).await?;
        // Whatever comes is forgotten.
        self.line.lock().begin(Coming::Nothing);
        let mut left = if still_sends { DISCARDED_BYTES } else { 0 };
        while left > 0 {
            let read = std::future::poll_fn(|context| {
                if self.client.seat.poll_wish(Wish::Leave, context).is_ready() {
                    return Poll::Ready(Ok(0));
                }
                let mut line = self.line.lock();
                line.input.clear();
                line.poll_fill(context)
            });
            match read.await? as u64 {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok(())
    }

    fn set_date(&mut self) {
        let now = self.shared.env.clock.now();
        let second = now.0.div_euclid(1000) as i64;
        if self.date.0 != second {
            let time = jiff::Timestamp::from_second(second).unwrap_or_default();
            self.date = (
                second,
                time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
            );
        }
    }

    /// The line for whoever goes on with it, if no body holds it any more.
    fn resume(self) -> Option<Resumed> {
        let (before, socket) = Arc::into_inner(self.line)?.into_inner().into_parts();
        Some(Resumed::new(before.freeze(), socket))
    }
}

/// What an answer's head takes, most often.
const HEAD_ROOM: usize = 512;

fn expects_greeting(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// How the end of an answer is told.
fn length(head: &http::response::Parts, body: &Body, method: &Method) -> Length {
    let status = head.status;
    let has_none = status.is_informational() || matches!(status.as_u16(), 204 | 304);
    let said = || {
        HeaderValue::to_str(head.headers.get(header::CONTENT_LENGTH)?)
            .ok()?
            .parse()
            .ok()
    };
    match body.size_hint().exact().or_else(said) {
        _ if has_none => Length::None,
        // What GET's answer would be long is the door's to know; where it says nothing, nothing is said.
        _ if *method == Method::HEAD => Length::None,
        Some(length) => Length::Known(length),
        None if head.version == Version::HTTP_10 => Length::Close,
        None => Length::Chunked,
    }
}

fn wrong_length(length: u64) -> io::Error {
    io::Error::other(format!(
        "an answer of {length} bytes was announced and another made"
    ))
}
