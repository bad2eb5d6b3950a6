//! The Lambda runtime API as one process sees it: a loopback listener of its own.
//!
//! Runtime clients know only a host and a port, so each process has its listener, and what arrives there is its own.
//! The API is AWS's of 2018-06-01: `invocation/next`, `…/response`, `…/error` and `init/error`.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use headwater_env::Env;
use headwater_types::Millis;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore, mpsc, watch},
};

use crate::limits;

const PREFIX: &str = "/2018-06-01/runtime/";

/// An invocation as it is handed to a process.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub request_id: String,
    pub payload: Bytes,
    pub deadline: Millis,
    pub function_arn: String,
    pub client_context: Option<String>,
    pub trace_id: String,
}

/// A report of a process.
#[derive(Debug)]
pub(crate) enum Report {
    /// It asked for an invocation.
    Ready,
    /// It answered the invocation.
    Response(Bytes),
    /// It answered with more than is allowed.
    TooLarge,
    /// It failed the invocation.
    Error(Bytes),
    /// It could not start.
    InitError(Bytes),
}

/// The server's half of one process's runtime API; closing it ends its connections.
pub(crate) struct RuntimeApi {
    /// The value of `AWS_LAMBDA_RUNTIME_API`.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    reports: mpsc::Receiver<Report>,
    _open: watch::Sender<()>,
}

struct Shared {
    work: Mutex<Slot>,
    given: Notify,
    reporter: mpsc::Sender<Report>,
    places: Semaphore,
}

#[derive(Default)]
struct Slot {
    waiting: Option<Work>,
    current: Option<String>,
}

impl RuntimeApi {
    pub async fn listen(env: &Env) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (reporter, reports) = mpsc::channel(limits::REPORTS_MAX);
        let (open, closed) = watch::channel(());
        let shared = Arc::new(Shared {
            work: Mutex::default(),
            given: Notify::new(),
            reporter,
            places: Semaphore::new(limits::RUNTIME_CONNECTIONS_MAX),
        });
        env.spawn(accept(env.clone(), listener, shared.clone(), closed));
        Ok(Self {
            address,
            shared,
            reports,
            _open: open,
        })
    }

    /// Hands out an invocation at the next `invocation/next`.
    pub fn give(&self, work: Work) {
        let mut slot = self.shared.work.lock();
        slot.current = None;
        slot.waiting = Some(work);
        drop(slot);
        self.shared.given.notify_one();
    }

    /// The next report of the process.
    pub async fn next_report(&mut self) -> Report {
        self.reports
            .recv()
            .await
            .expect("this half holds a sender itself")
    }

    /// The report that came while nobody listened: asking for work that there was none of.
    pub fn forget(&mut self) {
        while self.reports.try_recv().is_ok() {}
    }
}

async fn accept(
    env: Env,
    listener: TcpListener,
    shared: Arc<Shared>,
    mut closed: watch::Receiver<()>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => env.spawn(serve(stream, shared.clone(), closed.clone())),
            // Out of file descriptors, most likely: the next one may do better.
            Err(error) => {
                tracing::warn!(%error, "a function's connection to its runtime API was lost");
                env.clock.sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>, mut closed: watch::Receiver<()>) {
    let Ok(_place) = shared.places.try_acquire() else {
        return;
    };
    let service = service_fn(|request| async { Ok::<_, Infallible>(shared.answer(request).await) });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // A connection that breaks off shows when its process exits or stays silent.
        _ = connection => {}
        _ = closed.changed() => {}
    }
}

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (parts, body) = request.into_parts();
        let Some(path) = parts.uri.path().strip_prefix(PREFIX) else {
            return refused(
                StatusCode::NOT_FOUND,
                "InvalidPath",
                "no such path in the runtime API",
            );
        };
        match (
            &parts.method,
            path.split('/').collect::<Vec<_>>().as_slice(),
        ) {
            (&Method::GET, ["invocation", "next"]) => self.next().await,
            (&Method::POST, ["init", "error"]) => self.init_error(body).await,
            (&Method::POST, ["invocation", id, "response"]) => self.response(id, body).await,
            (&Method::POST, ["invocation", id, "error"]) => self.error(id, body).await,
            _ => refused(
                StatusCode::NOT_FOUND,
                "InvalidPath",
                "no such path in the runtime API",
            ),
        }
    }

    async fn next(&self) -> Response<Full<Bytes>> {
        self.report(Report::Ready).await;
        loop {
            if let Some(work) = self.take() {
                return handed(work);
            }
            self.given.notified().await;
        }
    }

    fn take(&self) -> Option<Work> {
        let mut slot = self.work.lock();
        let work = slot.waiting.take()?;
        slot.current = Some(work.request_id.clone());
        Some(work)
    }

    async fn init_error(&self, body: Incoming) -> Response<Full<Bytes>> {
        match read(body).await {
            ReportBody::Whole(error) => self.report(Report::InitError(error)).await,
            ReportBody::TooLarge | ReportBody::Broken => {
                self.report(Report::InitError(Bytes::from_static(b"{}")))
                    .await
            }
        }
        accepted()
    }

    async fn response(&self, id: &str, body: Incoming) -> Response<Full<Bytes>> {
        if !self.is_current(id) {
            return wrong_id();
        }
        match read(body).await {
            ReportBody::Whole(response) => self.finish(Report::Response(response)).await,
            ReportBody::TooLarge => {
                self.finish(Report::TooLarge).await;
                let max = limits::RESPONSE_BYTES_MAX;
                let text = format!("Exceeded maximum allowed payload size ({max} bytes).");
                return refused(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "RequestEntityTooLarge",
                    &text,
                );
            }
            // The process is gone or out of step: its exit or the time-out says so.
            ReportBody::Broken => {
                return refused(StatusCode::BAD_REQUEST, "InvalidBody", "the body broke off");
            }
        }
        accepted()
    }

    async fn error(&self, id: &str, body: Incoming) -> Response<Full<Bytes>> {
        if !self.is_current(id) {
            return wrong_id();
        }
        match read(body).await {
            ReportBody::Whole(error) => self.finish(Report::Error(error)).await,
            ReportBody::TooLarge => self.finish(Report::TooLarge).await,
            ReportBody::Broken => {
                return refused(StatusCode::BAD_REQUEST, "InvalidBody", "the body broke off");
            }
        }
        accepted()
    }

    fn is_current(&self, id: &str) -> bool {
        self.work.lock().current.as_deref() == Some(id)
    }

    async fn finish(&self, report: Report) {
        self.work.lock().current = None;
        self.report(report).await;
    }

    async fn report(&self, report: Report) {
        // The other half is gone only together with the process.
        drop(self.reporter.send(report).await);
    }
}

/// The body of a report, as far as it could be read.
enum ReportBody {
    Whole(Bytes),
    TooLarge,
    Broken,
}

/// Reads a body; of one that is too large, enough is read that its sender gets to hear the answer.
async fn read(mut body: Incoming) -> ReportBody {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = BytesMut::with_capacity(announced.min(limits::RESPONSE_BYTES_MAX));
    let mut len = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return ReportBody::Broken;
        };
        let Some(data) = frame.data_ref() else {
            continue;
        };
        len += data.len();
        if len <= limits::RESPONSE_BYTES_MAX {
            whole.extend_from_slice(data);
        } else if len > limits::RESPONSE_DRAIN_BYTES_MAX {
            break;
        }
    }
    if len > limits::RESPONSE_BYTES_MAX {
        ReportBody::TooLarge
    } else {
        ReportBody::Whole(whole.freeze())
    }
}

fn handed(work: Work) -> Response<Full<Bytes>> {
    let mut response = Response::builder()
        .header("Content-Type", "application/json")
        .header("Lambda-Runtime-Aws-Request-Id", &work.request_id)
        .header("Lambda-Runtime-Deadline-Ms", work.deadline.0.to_string())
        .header("Lambda-Runtime-Invoked-Function-Arn", &work.function_arn)
        .header("Lambda-Runtime-Trace-Id", &work.trace_id);
    // A text that is no header value, having line ends in it, is not JSON as we ask for it.
    if let Some(context) = work
        .client_context
        .and_then(|c| HeaderValue::from_bytes(c.as_bytes()).ok())
    {
        response = response.header("Lambda-Runtime-Client-Context", context);
    }
    response
        .body(Full::new(work.payload))
        .expect("ids, times and ARNs are header values")
}

fn accepted() -> Response<Full<Bytes>> {
    json(StatusCode::ACCEPTED, &serde_json::json!({ "status": "OK" }))
}

fn wrong_id() -> Response<Full<Bytes>> {
    refused(
        StatusCode::BAD_REQUEST,
        "InvalidRequestID",
        "Invalid request ID",
    )
}

fn refused(status: StatusCode, kind: &str, message: &str) -> Response<Full<Bytes>> {
    json(
        status,
        &serde_json::json!({ "errorMessage": message, "errorType": kind }),
    )
}

fn json(status: StatusCode, body: &serde_json::Value) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert("Content-Type", HeaderValue::from_static("application/json"));
    response
}
