//! Whole connections in memory: the same bytes for this crate's server and for hyper's, and the requests that each of them
//! hands to its service.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use bytes::Bytes;
use headwater_env::{Env, ManualClock};
use headwater_types::Millis;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    Body, Buffers, HoldError, Limits, Peer, Service, Serving, body, exchange::Client,
    http1 as ours, serving::Shared, slots::Slots,
};

/// A request as a service got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    /// The values of each header, in their order.
    pub(crate) headers: BTreeMap<String, Vec<Vec<u8>>>,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) is_whole: bool,
}

/// The requests of a connection, and its answers as they were written.
pub(crate) struct Conversation {
    pub(crate) requests: Vec<Seen>,
    pub(crate) answers: String,
}

/// The conversation of this crate's server with a client that sends `bytes` in pieces of `step` and then hangs up.
pub(crate) fn with_ours(bytes: &[u8], step: usize) -> Conversation {
    let env = Env {
        clock: Arc::new(ManualClock::at(Millis(0))),
        ..Env::real()
    };
    let (recorder, script) = (Arc::new(Recorder::default()), Script::new(bytes, step));
    let written = script.written.clone();
    let serving = Serving {
        service: recorder.clone(),
        buffers: Buffers::default(),
        limits: Limits::default(),
    };
    let slots = Arc::new(Slots::new(1, env.clone()));
    let shared = Shared { serving, env };
    finish(async {
        let lease = slots.take().await;
        // Under TLS, as it were: `Upgrade: h2c` would lead elsewhere.
        let client = Client::new(([127, 0, 0, 1], 1).into(), lease.slot.clone(), true);
        ours::serve(Box::new(script), &client, &shared).await;
    });
    Conversation {
        requests: std::mem::take(&mut recorder.0.lock()),
        answers: String::from_utf8_lossy(&written.lock()).into_owned(),
    }
}

/// The same conversation with hyper's server.
pub(crate) fn with_hyper(bytes: &[u8], step: usize) -> Conversation {
    let (seen, script) = (Arc::new(Mutex::new(Vec::new())), Script::new(bytes, step));
    let written = script.written.clone();
    let service = service_fn(|request: Request<hyper::body::Incoming>| {
        let seen = seen.clone();
        async move {
            let request = record(request).await;
            let is_whole = request.is_whole;
            seen.lock().push(request);
            Ok::<_, Infallible>(answer(is_whole, Empty::<Bytes>::new()))
        }
    });
    let mut builder = http1::Builder::new();
    builder.half_close(true).header_read_timeout(None);
    // Its errors are the end of the conversation, as ours are.
    let _ = finish(builder.serve_connection(TokioIo::new(script), service));
    Conversation {
        requests: std::mem::take(&mut seen.lock()),
        answers: String::from_utf8_lossy(&written.lock()).into_owned(),
    }
}

/// A service that keeps the requests that it got; the body of one for `/unread` it leaves alone.
#[derive(Default)]
struct Recorder(Mutex<Vec<Seen>>);

#[async_trait]
impl Service for Recorder {
    async fn call(&self, request: Request<Body>, _: Peer) -> Response<Body> {
        let request = match request.uri().path() {
            "/unread" => request.map(|_| body::empty()),
            _ => request,
        };
        let request = record(request).await;
        let is_whole = request.is_whole;
        self.0.lock().push(request);
        answer(is_whole, body::empty())
    }

    fn body_failed(&self, _: &HoldError) -> Response<Body> {
        answer(false, body::empty())
    }
}

fn answer<B>(is_fine: bool, body: B) -> Response<B> {
    let mut response = Response::new(body);
    if !is_fine {
        *response.status_mut() = StatusCode::BAD_REQUEST;
    }
    response
}

async fn record<B: http_body::Body<Data = Bytes> + Unpin>(request: Request<B>) -> Seen {
    let (head, mut incoming) = request.into_parts();
    let (mut body, mut is_whole) = (Vec::new(), true);
    while let Some(frame) = incoming.frame().await {
        match frame.map(|frame| frame.into_data().unwrap_or_default()) {
            Ok(data) => body.extend_from_slice(&data),
            Err(_) => {
                is_whole = false;
                break;
            }
        }
    }
    Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: by_name(&head.headers),
        body,
        is_whole,
    }
}

/// Headers by name. Of equal lengths hyper keeps one.
pub(crate) fn by_name(headers: &HeaderMap) -> BTreeMap<String, Vec<Vec<u8>>> {
    let values = |name| {
        let values = headers.get_all(name).iter();
        let mut values: Vec<_> = values.map(|value| value.as_bytes().to_vec()).collect();
        if name == header::CONTENT_LENGTH {
            values.dedup();
        }
        values
    };
    let names = headers.keys();
    names.map(|name| (name.to_string(), values(name))).collect()
}

/// Runs what waits for nothing but itself.
fn finish<T>(running: impl Future<Output = T>) -> T {
    /// More than any of these conversations needs.
    const POLLS: usize = 1_000_000;
    let mut running = pin!(running);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..POLLS {
        if let Poll::Ready(done) = running.as_mut().poll(&mut context) {
            return done;
        }
    }
    panic!("a conversation in memory waits for something");
}

/// A socket whose client sends in pieces, and takes everything.
struct Script {
    unsent: Bytes,
    step: usize,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Script {
    fn new(bytes: &[u8], step: usize) -> Self {
        Self {
            unsent: Bytes::copy_from_slice(bytes),
            step: step.max(1),
            written: Arc::default(),
        }
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let len = self.step.min(self.unsent.len()).min(buffer.remaining());
        buffer.put_slice(&self.unsent.split_to(len));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.written.lock().extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
