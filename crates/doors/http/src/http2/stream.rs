//! One request and its answer.

use std::sync::Arc;

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{Method, Request, Response, StatusCode};

use crate::{
    Body, body, exchange,
    headers::expects_continue,
    http2::{Connection, incoming::Incoming, reply::Reply, sending},
};

/// Answers a request, unless its client wants no answer any more. A service that panics takes its own stream with it, and
/// no other.
pub(super) async fn answer(
    connection: Arc<Connection>,
    request: Request<RecvStream>,
    reply: SendResponse<Bytes>,
) {
    let client = &connection.client;
    let _running = client.slot.busy(&connection.shared.env);
    let reply = Reply::new(reply);
    let method = request.method().clone();
    let request = with_body(request, &reply, &connection);
    let response = tokio::select! {
        biased;
        response = make(request, &connection) => response,
        _ = reply.reset() => return,
    };
    let Some(reply) = reply.begin() else {
        return;
    };
    if let Err(error) = sending::send(reply, response, &method, &connection).await {
        tracing::debug!(peer = %client.peer.address, %error, "an answer broke off");
    }
}

fn with_body(
    request: Request<RecvStream>,
    reply: &Reply,
    connection: &Connection,
) -> Request<Body> {
    let (head, stream) = request.into_parts();
    let waits = expects_continue(&head.headers) && !stream.is_end_stream();
    let greeting = waits.then(|| reply.greeting());
    let incoming = Incoming::new(stream, &head.headers, greeting, connection.progress());
    Request::from_parts(head, Body::from(incoming))
}

async fn make(request: Request<Body>, connection: &Connection) -> Response<Body> {
    if request.method() != Method::CONNECT {
        return exchange::answer(request, &connection.client, &connection.shared).await;
    }
    // It has no path, and asks for a tunnel to elsewhere.
    let mut response = Response::new(body::empty());
    *response.status_mut() = StatusCode::BAD_REQUEST;
    response
}
