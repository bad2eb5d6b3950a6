//! One connection: its protocol, and each of its requests.

use std::{io, net::SocketAddr, panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt;
use headwater_shapes::Blob;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::{
    ApiError, Body, Context, Origin,
    body::{self, HoldError},
    door::OperationName,
    limits,
    server::{Shared, Tls, http1, http1::line::Socket, http2, json_door, seats::Seat},
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// The other end of a connection.
#[derive(Clone)]
pub(super) struct Peer {
    address: SocketAddr,
    pub(super) seat: Arc<Seat>,
    /// Whether it speaks TLS.
    secure: bool,
}

impl Peer {
    pub(super) fn new(address: SocketAddr, seat: Arc<Seat>, secure: bool) -> Self {
        Self {
            address,
            seat,
            secure,
        }
    }

    /// Notes that its connection ended otherwise than by its end.
    pub(super) fn broke(&self, error: &io::Error) {
        tracing::debug!(peer = %self.address, %error, "a connection broke");
    }
}

/// Serves a connection to its end, also across a change to HTTP/2.
pub(super) async fn run(
    socket: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    seat: Arc<Seat>,
    shared: Arc<Shared>,
) {
    let peer = Peer::new(address, seat, tls.is_some());
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
    if let Some(resumed) = http1::serve(socket, &peer, &shared).await {
        http2::serve(resumed, &peer, &shared).await;
    }
}

/// Agrees with a client on keys.
async fn agree(tls: Tls, socket: TcpStream, shared: &Shared) -> io::Result<TlsStream<TcpStream>> {
    tokio::select! {
        agreed = tls.accept(socket) => agreed,
        () = shared.env.clock.sleep(shared.serving.limits.idle) => Err(io::ErrorKind::TimedOut.into()),
    }
}

/// Answers one request, whatever happens in its door.
pub(super) async fn answer(request: Request<Body>, peer: &Peer, shared: &Shared) -> Response<Body> {
    let began = shared.env.clock.elapsed();
    let (mut head, body) = request.into_parts();
    if let Some(verifier) = &shared.serving.verifier {
        head.extensions.insert(verifier.clone());
    }
    let context = context(&head, peer, shared);
    let request_id = context.request_id.clone();
    let (waits, has_no_body) = waits_to_go_on(&head);
    let (method, door) = (head.method.clone(), shared.serving.router.find(&head));
    let request = Request::from_parts(head, body);
    let name = door.as_ref().map_or("none", |door| door.name());
    let mut response = match door {
        Some(door) => match AssertUnwindSafe(door.call(request, context))
            .catch_unwind()
            .await
        {
            Ok(response) => response,
            Err(_) => panicked(&request_id),
        },
        None => not_found(),
    };
    let operation = response
        .extensions()
        .get::<OperationName>()
        .map_or("", |operation| operation.0);
    let status = response.status().as_u16();
    let took = shared.env.clock.elapsed().saturating_sub(began);
    tracing::debug!(request_id, %method, service = name, operation, status, ?took, "answered");
    if response.status().is_server_error() && response.status() != StatusCode::NOT_IMPLEMENTED {
        tracing::warn!(
            request_id,
            service = name,
            operation,
            status,
            "a request failed on this side"
        );
    }
    add_ids(&mut response, &request_id, shared);
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
fn waits_to_go_on(head: &http::request::Parts) -> (bool, bool) {
    let is = |name, value: &[u8]| {
        head.headers
            .get(name)
            .is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value))
    };
    let waits = head.version == http::Version::HTTP_11 && is(header::EXPECT, b"100-continue");
    (waits, is(header::CONTENT_LENGTH, b"0"))
}

fn context(head: &http::request::Parts, peer: &Peer, shared: &Shared) -> Context {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let host = head
        .headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or(authority);
    Context {
        request_id: shared.env.random.uuid(),
        region: shared.serving.region.clone(),
        account: shared.serving.account.clone(),
        host: host.unwrap_or("localhost").to_owned(),
        caller: shared.owner.clone(),
        operation: "",
        origin: Origin {
            address: Some(peer.address.ip().to_canonical()),
            secure: peer.secure,
            user_agent: head.headers.get(header::USER_AGENT).cloned(),
            referer: head.headers.get(header::REFERER).cloned(),
        },
        buffers: shared.buffers.clone(),
    }
}

/// The ids that every answer of AWS carries; S3's are named otherwise, and its door's own.
fn add_ids(response: &mut Response<Body>, request_id: &str, shared: &Shared) {
    let headers = response.headers_mut();
    if !headers.contains_key(REQUEST_ID)
        && !headers.contains_key(S3_REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(request_id)
    {
        headers.insert(REQUEST_ID, id);
    }
    let preflight = headers.contains_key(header::ACCESS_CONTROL_MAX_AGE);
    if !preflight && !headers.contains_key(EXTENDED_ID) {
        let (mut id, mut text) = ([0; limits::EXTENDED_ID_BYTES], Vec::new());
        shared.env.random.fill(&mut id);
        Blob::write_base64(&id, &mut text);
        headers.insert(
            EXTENDED_ID,
            HeaderValue::from_maybe_shared(Bytes::from(text)).expect("base64 is printable"),
        );
    }
}

/// The answer to a request whose body did not come in time or as it was announced.
pub(super) fn not_in_time(error: &HoldError) -> Response<Body> {
    let error = ApiError::new(400, "RequestTimeoutException", error.to_string());
    json_door::error_response(&error, json_door::Codec::default())
}

fn panicked(request_id: &str) -> Response<Body> {
    tracing::error!(
        request_id,
        "a handler panicked: this is a defect of Headwater"
    );
    let error =
        ApiError::internal("The request could not be processed because of an internal error.");
    json_door::error_response(&error, json_door::Codec::default())
}

fn not_found() -> Response<Body> {
    let mut response = Response::new(body::full("No service here answers such a request.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
