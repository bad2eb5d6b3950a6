//! One connection: its protocol, and each of its requests.

use std::{io, net::SocketAddr, sync::Arc};

use http::{HeaderValue, Request, Response, Version, header};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::{
    Body, Peer,
    http1::{self, line::Socket},
    http2,
    seats::Seat,
    server::Shared,
    tls::Tls,
};

/// A connection's other end and its slot.
#[derive(Clone)]
pub(crate) struct Client {
    peer: Peer,
    pub(crate) seat: Arc<Seat>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, seat: Arc<Seat>, secure: bool) -> Self {
        Self {
            peer: Peer { address, secure },
            seat,
        }
    }

    /// Notes that its connection ended otherwise than by its end.
    pub(crate) fn broke(&self, error: &io::Error) {
        tracing::debug!(peer = %self.peer.address, %error, "a connection broke");
    }
}

/// Serves a connection to its end, also across a change to HTTP/2.
pub(crate) async fn run(
    socket: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    seat: Arc<Seat>,
    shared: Arc<Shared>,
) {
    let client = Client::new(address, seat, tls.is_some());
    let socket: Socket = match tls {
        None => Box::new(socket),
        Some(tls) => match agree(tls, socket, &shared).await {
            Ok(socket) => Box::new(socket),
            Err(error) => {
                tracing::debug!(peer = %address, %error, "no TLS could be agreed on");
                return;
            }
        },
    };
    if let Some(resumed) = http1::serve(socket, &client, &shared).await {
        http2::serve(resumed, &client, &shared).await;
    }
}

/// Agrees with a client on keys.
async fn agree(tls: Tls, socket: TcpStream, shared: &Shared) -> io::Result<TlsStream<TcpStream>> {
    tokio::select! {
        agreed = tls.accept(socket) => agreed,
        () = shared.env.clock.sleep(shared.serving.limits.idle) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Answers one request.
pub(crate) async fn answer(
    request: Request<Body>,
    client: &Client,
    shared: &Shared,
) -> Response<Body> {
    let (waits, has_no_body) = waits_to_go_on(&request);
    let mut response = shared.serving.service.call(request, client.peer).await;
    // Such an answer comes without `100 Continue` before it. botocore then takes the next answer on the connection
    // for this one, unless there is none.
    if waits && (has_no_body || !response.status().is_success()) {
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether a client waits for `100 Continue` before it sends a body; the second is whether there is none to send.
fn waits_to_go_on(request: &Request<Body>) -> (bool, bool) {
    let is = |name, value: &[u8]| {
        let found = request.headers().get(name);
        found.is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value))
    };
    let waits = request.version() == Version::HTTP_11 && is(header::EXPECT, b"100-continue");
    (waits, is(header::CONTENT_LENGTH, b"0"))
}
