//! The Lambda runtime API as one process sees it: a loopback listener of its own.
//!
//! Runtime clients know only a host and a port, so each process has its listener, and what arrives there is its own.
//! The API is AWS's of 2018-06-01: `invocation/next`, `…/response`, `…/error` and `init/error`. An answer may stream; it is
//! passed on in pieces then, if the caller asked for that, and is put together for one that did not.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::{Bytes, BytesMut};
use headwater_env::Env;
use headwater_types::Millis;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
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
const RESPONSE_MODE: &str = "lambda-runtime-function-response-mode";
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";
const ERROR_BODY: &str = "lambda-runtime-function-error-body";

/// An invocation as it is handed to a process.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub request_id: String,
    pub payload: Bytes,
    pub deadline: Millis,
    pub function_arn: String,
    pub client_context: Option<String>,
    pub trace_id: String,
    /// Whether the caller takes the answer in pieces.
    pub streams: bool,
}

/// An answer that has begun to come.
#[derive(Debug)]
pub(crate) struct Begun {
    pub content_type: Option<String>,
    pub pieces: mpsc::Receiver<Bytes>,
}

/// A report of a process.
#[derive(Debug)]
pub(crate) enum Report {
    /// It asked for an invocation.
    Ready,
    /// It answered the invocation.
    Response(Bytes),
    /// It began to answer in pieces.
    Begun(Begun),
    /// It has sent the last piece, or says why there is none.
    Streamed(Result<(), Bytes>),
    /// It hung up in the middle of its pieces.
    CutOff,
    /// It answered with more than is allowed.
    TooLarge,
    /// It sent more pieces than are allowed, and may be at it still.
    StreamTooLarge,
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
    current: Option<Current>,
}

/// The invocation that the process has taken.
struct Current {
    id: String,
    streams: bool,
    /// Whether an answer to it is on its way, of which there is one.
    answering: bool,
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
            (&Method::POST, ["invocation", id, "response"]) => {
                self.response(id, &parts.headers, body).await
            }
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
        slot.current = Some(Current {
            id: work.request_id.clone(),
            streams: work.streams,
            answering: false,
        });
        Some(work)
    }

    async fn init_error(&self, body: Incoming) -> Response<Full<Bytes>> {
        match read(body).await {
            ReportBody::Whole(error, _) => self.report(Report::InitError(error)).await,
            ReportBody::TooLarge | ReportBody::Broken => {
                self.report(Report::InitError(Bytes::from_static(b"{}")))
                    .await
            }
        }
        accepted()
    }

    async fn response(
        &self,
        id: &str,
        headers: &HeaderMap,
        body: Incoming,
    ) -> Response<Full<Bytes>> {
        let is_streamed = headers
            .get(RESPONSE_MODE)
            .is_some_and(|mode| mode.as_bytes().eq_ignore_ascii_case(b"streaming"));
        match self.begin(id) {
            Err(wrong) => wrong.answer(),
            Ok(streams) if streams && is_streamed => self.stream(id, headers, body).await,
            Ok(_) => self.whole(id, body).await,
        }
    }

    /// An answer that is read before anything is done with it.
    async fn whole(&self, id: &str, body: Incoming) -> Response<Full<Bytes>> {
        match read(body).await {
            ReportBody::Whole(response, Ok(())) => {
                self.finish(id, Report::Response(response)).await;
            }
            ReportBody::Whole(_, Err(error)) => self.finish(id, Report::Error(error)).await,
            ReportBody::TooLarge => {
                self.finish(id, Report::TooLarge).await;
                return too_large(limits::RESPONSE_BYTES_MAX as u64);
            }
            // The process is gone or out of step: its exit, the time-out or another try says so.
            ReportBody::Broken => return self.broken(id),
        }
        accepted()
    }

    /// An answer that is passed on as it comes, no faster than the caller takes it. A caller who is gone does not end it:
    /// the function runs to its end.
    async fn stream(
        &self,
        id: &str,
        headers: &HeaderMap,
        mut body: Incoming,
    ) -> Response<Full<Bytes>> {
        let (sender, pieces) = mpsc::channel(limits::STREAM_PIECES_MAX);
        let content_type = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let content_type = content_type.filter(|kind| kind.len() <= limits::CONTENT_TYPE_BYTES_MAX);
        let begun = Begun {
            content_type: content_type.map(str::to_owned),
            pieces,
        };
        self.report(Report::Begun(begun)).await;
        let mut passed = 0;
        let mut outcome = Ok(());
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                self.finish(id, Report::CutOff).await;
                return cut_off();
            };
            match frame.into_data() {
                Ok(mut data) => {
                    passed += data.len() as u64;
                    if passed > limits::STREAMED_BYTES_MAX {
                        self.finish(id, Report::StreamTooLarge).await;
                        return too_large(limits::STREAMED_BYTES_MAX);
                    }
                    while !data.is_empty() {
                        let piece = data.split_to(data.len().min(limits::STREAM_PIECE_BYTES));
                        // The caller may be gone.
                        drop(sender.send(piece).await);
                    }
                }
                Err(frame) => outcome = frame.trailers_ref().map_or(Ok(()), error_in),
            }
        }
        // The caller sees the end of the pieces before it asks how it was.
        drop(sender);
        self.finish(id, Report::Streamed(outcome)).await;
        accepted()
    }

    async fn error(&self, id: &str, body: Incoming) -> Response<Full<Bytes>> {
        if let Err(wrong) = self.begin(id) {
            return wrong.answer();
        }
        match read(body).await {
            ReportBody::Whole(error, _) => self.finish(id, Report::Error(error)).await,
            ReportBody::TooLarge => self.finish(id, Report::TooLarge).await,
            ReportBody::Broken => return self.broken(id),
        }
        accepted()
    }

    /// Begins the one answer to the invocation that the process has, and says whether its caller takes pieces.
    fn begin(&self, id: &str) -> Result<bool, Wrong> {
        let mut slot = self.work.lock();
        match slot.current.as_mut().filter(|current| current.id == id) {
            None => Err(Wrong::Id),
            Some(current) if current.answering => Err(Wrong::Second),
            Some(current) => {
                current.answering = true;
                Ok(current.streams)
            }
        }
    }

    /// An answer that broke off before it was one: another may follow.
    fn broken(&self, id: &str) -> Response<Full<Bytes>> {
        let mut slot = self.work.lock();
        if let Some(current) = slot.current.as_mut().filter(|current| current.id == id) {
            current.answering = false;
        }
        cut_off()
    }

    /// Reports the end of the invocation, if the process still has that one.
    async fn finish(&self, id: &str, report: Report) {
        let is_current = {
            let mut slot = self.work.lock();
            let ended = slot.current.take_if(|current| current.id == id);
            ended.is_some()
        };
        if is_current {
            self.report(report).await;
        }
    }

    async fn report(&self, report: Report) {
        // The other half is gone only together with the process.
        drop(self.reporter.send(report).await);
    }
}

/// Why an answer is none.
#[derive(Debug, Clone, Copy)]
enum Wrong {
    /// The process has no such invocation.
    Id,
    /// An answer to it is on its way already.
    Second,
}

impl Wrong {
    fn answer(self) -> Response<Full<Bytes>> {
        match self {
            Self::Id => refused(
                StatusCode::BAD_REQUEST,
                "InvalidRequestID",
                "Invalid request ID",
            ),
            Self::Second => refused(
                StatusCode::FORBIDDEN,
                "InvalidStateTransition",
                "Transition from InvocationResponse to InvocationResponse is not allowed.",
            ),
        }
    }
}

/// The body of a report, as far as it could be read.
enum ReportBody {
    /// The bytes, and the error that the trailers tell of, if any.
    Whole(Bytes, Result<(), Bytes>),
    TooLarge,
    Broken,
}

/// Reads a body; of one that is too large, enough is read that its sender gets to hear the answer.
async fn read(mut body: Incoming) -> ReportBody {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    let mut whole = BytesMut::with_capacity(announced.min(limits::RESPONSE_BYTES_MAX));
    let mut len = 0;
    let mut outcome = Ok(());
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            return ReportBody::Broken;
        };
        let Some(data) = frame.data_ref() else {
            outcome = frame.trailers_ref().map_or(Ok(()), error_in);
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
        ReportBody::Whole(whole.freeze(), outcome)
    }
}

/// The error that trailers tell of: JSON in base64, and the error's type by itself.
fn error_in(trailers: &HeaderMap) -> Result<(), Bytes> {
    let Some(kind) = trailers.get(ERROR_TYPE) else {
        return Ok(());
    };
    let body = trailers.get(ERROR_BODY).map(HeaderValue::as_bytes);
    let body = body.and_then(|body| STANDARD.decode(body).ok());
    let kind = String::from_utf8_lossy(kind.as_bytes());
    Err(body.map_or_else(
        || serde_json::json!({ "errorType": kind }).to_string().into(),
        Bytes::from,
    ))
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

fn cut_off() -> Response<Full<Bytes>> {
    refused(StatusCode::BAD_REQUEST, "InvalidBody", "the body broke off")
}

fn too_large(max: u64) -> Response<Full<Bytes>> {
    let text = format!("Exceeded maximum allowed payload size ({max} bytes).");
    refused(
        StatusCode::PAYLOAD_TOO_LARGE,
        "RequestEntityTooLarge",
        &text,
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
