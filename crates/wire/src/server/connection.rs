//! One connection: its protocol, its time-outs, and each of its requests.

use std::{
    convert::Infallible,
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, Fuse},
    stream::FuturesUnordered,
};
use headwater_env::Spawn;
use headwater_shapes::Blob;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use parking_lot::Mutex;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
};

use crate::{
    ApiError, Body, Context, Origin, body,
    door::OperationName,
    limits,
    server::{
        Phase, Shared, Tls,
        h2c::{self, Asked, Upgrade},
        json_door,
        patience::{Patience, TimedBody, TimedSocket},
        seats::Seat,
    },
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const S3_REQUEST_ID: HeaderName = HeaderName::from_static("x-amz-request-id");
const EXTENDED_ID: HeaderName = HeaderName::from_static("x-amz-id-2");

/// Runs hyper's tasks where all tasks run.
#[derive(Clone)]
struct Tasks(Arc<dyn Spawn>);

impl<F: Future<Output: Send> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.0.spawn(Box::pin(async move {
            task.await;
        }));
    }
}

/// The other end of a connection.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    seat: Arc<Seat>,
    /// Whether it speaks TLS.
    secure: bool,
}

/// Serves a connection to its end.
pub(super) async fn run(
    socket: TcpStream,
    tls: Option<Tls>,
    address: SocketAddr,
    seat: Arc<Seat>,
    shared: Arc<Shared>,
) {
    let peer = Peer { address, seat, secure: tls.is_some() };
    let Some(tls) = tls else { return serve(socket, peer, shared).await };
    let too_long = shared.env.clock.sleep(shared.serving.limits.idle);
    let agreed = tokio::select! {
        agreed = tls.accept(socket) => agreed,
        () = too_long => return,
    };
    match agreed {
        Ok(socket) => serve(socket, peer, shared).await,
        Err(error) => tracing::debug!(peer = %address, %error, "no TLS could be agreed on"),
    }
}

/// Answers what comes, also across a change to HTTP/2.
async fn serve(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: Peer,
    shared: Arc<Shared>,
) {
    let Some(upgrade) = drive(socket, &peer, &shared).await else { return };
    let too_long = shared.env.clock.sleep(shared.serving.limits.idle);
    let ready = tokio::select! {
        ready = upgrade.ready() => ready,
        () = too_long => return,
    };
    match ready {
        Ok(resumed) => drop(drive(resumed, &peer, &shared).await),
        Err(error) => {
            tracing::debug!(peer = %peer.address, %error, "a connection broke on its way to HTTP/2")
        }
    }
}

/// Answers the requests of a connection; it may end with the wish to go on in HTTP/2.
async fn drive(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: &Peer,
    shared: &Arc<Shared>,
) -> Option<Upgrade> {
    let (asked, upgrade) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
    let service = service_fn({
        let (shared, peer) = (shared.clone(), peer.clone());
        let (asked, upgrade) = (asked.clone(), upgrade.clone());
        move |request| {
            asked.store(true, Ordering::Relaxed);
            let (shared, peer, upgrade) = (shared.clone(), peer.clone(), upgrade.clone());
            async move {
                let _busy = peer.seat.busy(&shared.env);
                Ok::<_, Infallible>(answer_or_upgrade(request, &peer, &shared, &upgrade).await)
            }
        }
    });
    let builder = builder(shared);
    let socket = TokioIo::new(TimedSocket::new(socket, patience(shared)));
    let mut connection = pin!(builder.serve_connection_with_upgrades(socket, service));
    // In a set of its own it is polled only when it was woken, not with each step of the connection.
    let mut around = FuturesUnordered::from_iter([Around::new(peer, shared, asked).change()]);
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %peer.address, %error, "a connection broke");
                }
                return upgrade.lock().take();
            }
            Some((change, rest)) = around.next() => {
                match change {
                    Change::Leave => connection.as_mut().graceful_shutdown(),
                    Change::Drop => return None,
                }
                around.push(rest.change());
            }
        }
    }
}

/// What may end a connection besides itself.
struct Around<'a> {
    seat: &'a Seat,
    phase: watch::Receiver<Phase>,
    /// hyper has no time-out of its own for a connection that never says which HTTP it speaks.
    silence: Fuse<BoxFuture<'a, ()>>,
    /// Whether there was a request.
    asked: Arc<AtomicBool>,
}

/// What becomes of a connection.
enum Change {
    /// It ends after the requests that run.
    Leave,
    /// It ends now.
    Drop,
}

impl<'a> Around<'a> {
    fn new(peer: &'a Peer, shared: &'a Shared, asked: Arc<AtomicBool>) -> Self {
        let silence = shared.env.clock.sleep(shared.serving.limits.idle).fuse();
        Self { seat: &peer.seat, phase: shared.phase.clone(), silence, asked }
    }

    /// Waits for the next change.
    async fn change(mut self) -> (Change, Self) {
        let change = loop {
            tokio::select! {
                () = &mut self.silence => {
                    if !self.asked.load(Ordering::Relaxed) {
                        break Change::Drop;
                    }
                }
                () = self.seat.asked_to_leave() => break Change::Leave,
                changed = self.phase.changed() => match changed.map(|()| *self.phase.borrow_and_update()) {
                    Ok(Phase::Open) => {}
                    Ok(Phase::Draining) => break Change::Leave,
                    Ok(Phase::Closed) | Err(_) => break Change::Drop,
                },
            }
        };
        (change, self)
    }
}

fn patience(shared: &Shared) -> Patience {
    Patience::new(shared.env.clock.clone(), shared.serving.limits.body_idle)
}

fn builder(shared: &Shared) -> auto::Builder<Tasks> {
    let limits = &shared.serving.limits;
    let mut builder = auto::Builder::new(Tasks(shared.env.tasks.clone()));
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.idle)
        .max_buf_size(limits.head_bytes)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.head_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(limits.streams_per_connection)
        .initial_stream_window_size(limits::STREAM_WINDOW)
        .initial_connection_window_size(limits::CONNECTION_WINDOW)
        .max_send_buf_size(limits::SEND_BUFFER)
        .keep_alive_interval(limits.body_idle)
        .keep_alive_timeout(limits.body_idle);
    builder
}

async fn answer_or_upgrade(
    request: Request<Incoming>,
    peer: &Peer,
    shared: &Shared,
    upgrade: &Mutex<Option<Upgrade>>,
) -> Response<Body> {
    let request = request.map(|incoming| TimedBody::new(incoming, patience(shared)).boxed_unsync());
    match h2c::take(request, &shared.buffers).await {
        Ok(Asked::Not(request)) => answer(request, peer, shared).await,
        Ok(Asked::Upgrade(asked, response)) => {
            *upgrade.lock() = Some(asked);
            response
        }
        Err(error) => {
            let error = ApiError::new(400, "RequestTimeoutException", error.to_string());
            json_door::error_response(&error, json_door::Codec::default())
        }
    }
}

/// Answers one request, whatever happens in its door.
async fn answer(request: Request<Body>, peer: &Peer, shared: &Shared) -> Response<Body> {
    let began = shared.env.clock.elapsed();
    let (mut head, body) = request.into_parts();
    head.extensions.insert(shared.buffers.clone());
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
        Some(door) => match AssertUnwindSafe(door.call(request, context)).catch_unwind().await {
            Ok(response) => response,
            Err(_) => panicked(&request_id),
        },
        None => not_found(),
    };
    let operation = response.extensions().get::<OperationName>().map_or("", |operation| operation.0);
    let status = response.status().as_u16();
    let took = shared.env.clock.elapsed().saturating_sub(began);
    tracing::debug!(request_id, %method, service = name, operation, status, ?took, "answered");
    if response.status().is_server_error() && response.status() != StatusCode::NOT_IMPLEMENTED {
        tracing::warn!(request_id, service = name, operation, status, "a request failed on this side");
    }
    add_ids(&mut response, &request_id, shared);
    // Such an answer comes without `100 Continue` before it. botocore then takes the next answer on the connection
    // for this one, unless there is none.
    if waits && (has_no_body || !response.status().is_success()) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether a client waits for `100 Continue` before it sends a body; the second is whether there is none to send.
fn waits_to_go_on(head: &http::request::Parts) -> (bool, bool) {
    let is = |name, value: &[u8]| {
        head.headers.get(name).is_some_and(|found| found.as_bytes().eq_ignore_ascii_case(value))
    };
    let waits = head.version == http::Version::HTTP_11 && is(header::EXPECT, b"100-continue");
    (waits, is(header::CONTENT_LENGTH, b"0"))
}

fn context(head: &http::request::Parts, peer: &Peer, shared: &Shared) -> Context {
    let authority = head.uri.authority().map(|authority| authority.as_str());
    let host = head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(authority);
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

fn panicked(request_id: &str) -> Response<Body> {
    tracing::error!(request_id, "a handler panicked: this is a defect of Headwater");
    let error = ApiError::internal("The request could not be processed because of an internal error.");
    json_door::error_response(&error, json_door::Codec::default())
}

fn not_found() -> Response<Body> {
    let mut response = Response::new(body::full("No service here answers such a request.\n"));
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
