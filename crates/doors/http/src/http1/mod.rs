//! HTTP/1.1 (RFC 9112): one request after the other on a connection, each answered before the next is taken.
//!
//! Owns the loop (here), the transport and the body on it (`transport`, `incoming`, `body_state`), the syntax of heads
//! (`head`) and the reasons for which bytes are refused (`refusal`), and answers as they go (`connection`, `sending`). What
//! a request means is not known here.

pub(crate) mod body_state;
mod connection;
pub(crate) mod head;
pub(crate) mod incoming;
pub(crate) mod refusal;
mod sending;
#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod tests;
pub(crate) mod transport;

use std::io;

use bytes::{Bytes, BytesMut};
use http::{Method, Request, Response, Version};

use crate::{
    Body, body,
    exchange::{self, Client},
    h2c::{self, PREFACE},
    headers::expects_continue,
    http1::{
        body_state::BodyState, connection::Connection, head::Head, incoming::Incoming,
        refusal::Refusal,
    },
    serving::Shared,
    socket::{Resumed, Socket},
};

/// Answers the requests that come until the connection ends, or goes on in HTTP/2.
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
    /// The client was asked to begin with HTTP/2, and this stands for its first request there.
    Upgraded(Bytes),
}

/// The next thing that comes on a connection.
enum Next {
    Request(Box<Head>),
    Bad(Refusal),
    Http2,
    End,
}

impl Connection<'_> {
    async fn run(&mut self) -> io::Result<End> {
        let mut is_first = true;
        loop {
            let head = match self.next(is_first).await? {
                Next::Request(head) => head,
                Next::Http2 => return Ok(End::Http2),
                Next::End => return Ok(End::Closed),
                Next::Bad(refusal) => {
                    self.refuse(refusal).await?;
                    return Ok(End::Closed);
                }
            };
            is_first = false;
            let running = self.client.slot.busy(&self.shared.env);
            let (version, method, stays) =
                (head.parts.version, head.parts.method.clone(), head.stays);
            let request = self.request(head);
            let (response, first) = if h2c::asks(&request, self.client.peer) {
                self.upgrade(request).await?
            } else {
                (self.answer(request).await?, None)
            };
            let stays = self.send(response, &method, version, stays).await?;
            drop(running);
            match first {
                Some(first) => return Ok(End::Upgraded(first)),
                None if stays => {}
                None => {
                    let still_sends = self.transport.lock().body != BodyState::Nothing;
                    self.close(still_sends).await?;
                    return Ok(End::Closed);
                }
            }
        }
    }

    /// Waits for the next request.
    async fn next(&mut self, is_first: bool) -> io::Result<Next> {
        let (limit, mut seen) = (self.shared.serving.limits.head_bytes, 0);
        self.restart_idle();
        loop {
            {
                let mut transport = self.transport.lock();
                let input = &mut transport.input;
                if is_first && PREFACE.starts_with(&input[..input.len().min(PREFACE.len())]) {
                    if input.len() >= PREFACE.len() {
                        return Ok(Next::Http2);
                    }
                } else {
                    match head::take(input, &mut seen, limit) {
                        Ok(Some(head)) => return Ok(Next::Request(Box::new(head))),
                        Ok(None) => {}
                        Err(refusal) => return Ok(Next::Bad(refusal)),
                    }
                }
                if input.is_empty() {
                    // A connection that rests keeps no room.
                    *input = BytesMut::new();
                }
            }
            if !self.read_ahead().await? {
                return Ok(Next::End);
            }
        }
    }

    /// The request of a head, with the body that follows it.
    fn request(&self, head: Box<Head>) -> Request<Body> {
        let mut transport = self.transport.lock();
        transport.begin(head.body);
        let body = match head.body {
            BodyState::Nothing => body::empty(),
            // It is here already.
            BodyState::Length(length) if length <= transport.input.len() as u64 => {
                transport.body = BodyState::Nothing;
                body::full(transport.input.split_to(length as usize).freeze())
            }
            _ => {
                if expects_continue(&head.parts.headers) && head.parts.version == Version::HTTP_11 {
                    transport.greet();
                }
                drop(transport);
                Body::from(Incoming::new(&self.transport))
            }
        };
        Request::from_parts(head.parts, body)
    }

    async fn answer(&mut self, request: Request<Body>) -> io::Result<Response<Body>> {
        let (client, shared) = (self.client, self.shared);
        self.beside(exchange::answer(request, client, shared)).await
    }

    /// The answer that changes the connection to HTTP/2, and the request that it was asked with, as HTTP/2 has it; or
    /// the request's answer, where that is not possible.
    async fn upgrade(
        &mut self,
        request: Request<Body>,
    ) -> io::Result<(Response<Body>, Option<Bytes>)> {
        match h2c::take(request, &self.shared.serving.buffers).await {
            Ok(h2c::Upgrade::No(request)) => Ok((self.answer(request).await?, None)),
            Ok(h2c::Upgrade::Yes(first, response)) => Ok((response, Some(first))),
            Err(error) => Ok((self.shared.serving.service.body_failed(&error), None)),
        }
    }

    /// Answers bytes that are no request.
    async fn refuse(&mut self, refusal: Refusal) -> io::Result<()> {
        tracing::debug!(peer = %self.client.peer.address, %refusal, "a request is refused");
        let mut response = Response::new(body::empty());
        *response.status_mut() = refusal.status();
        self.send(response, &Method::GET, Version::HTTP_11, false)
            .await?;
        self.close(true).await
    }
}
