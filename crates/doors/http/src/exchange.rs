//! One request and its answer, in either version of HTTP.

use std::{io, net::SocketAddr, sync::Arc};

use http::{HeaderValue, Request, Response, Version, header};

use crate::{Body, Peer, headers, serving::Shared, slots::Slot};

/// A connection's other end, and the slot that it has.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) peer: Peer,
    pub(crate) slot: Arc<Slot>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, slot: Arc<Slot>, secure: bool) -> Self {
        Self {
            peer: Peer { address, secure },
            slot,
        }
    }

    /// Notes that its connection ended otherwise than by its end.
    pub(crate) fn broke(&self, error: &io::Error) {
        tracing::debug!(peer = %self.peer.address, %error, "a connection broke");
    }
}

/// Answers one request.
pub(crate) async fn answer(
    request: Request<Body>,
    client: &Client,
    shared: &Shared,
) -> Response<Body> {
    let waits =
        request.version() == Version::HTTP_11 && headers::expects_continue(request.headers());
    let has_no_body = waits && has_no_body(&request);
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

fn has_no_body(request: &Request<Body>) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    length.is_some_and(|length| length.as_bytes() == b"0")
}
