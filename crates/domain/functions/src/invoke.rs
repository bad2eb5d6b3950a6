//! One invocation, from the wait for a process to the answer and the report.

use std::{os::unix::process::ExitStatusExt, process::ExitStatus, sync::Arc, time::Duration};

use bytes::Bytes;
use headwater_env::Env;
use serde_json::json;
use tokio::sync::{mpsc, oneshot};

use crate::{
    Error, Function, Qualifier, Version,
    counts::Counters,
    functions::Inner,
    limits,
    output::Lines,
    process::{Bounds, Process, Signal, log_stream},
    runtime_api::{Begun, Report, Work},
};

/// The input of an invocation.
#[derive(Debug, Clone)]
pub struct Request {
    /// The id that the function and its log see, and that errors name: a UUID.
    pub request_id: String,
    /// JSON.
    pub payload: Bytes,
    /// A mobile client's account of itself: JSON in one line.
    pub client_context: Option<String>,
    /// The version that is asked for, if any by name.
    pub qualifier: Option<Qualifier>,
}

/// The outcome of an invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The request's id.
    pub request_id: String,
    /// The function's version.
    pub executed_version: Version,
    /// The function's answer, or JSON that describes its error as AWS does.
    pub payload: Bytes,
    /// Whether the function failed, and `payload` says how.
    pub failed: bool,
    /// The last 4 KB of what was logged.
    pub log_tail: Vec<u8>,
}

/// The answer to a caller who takes it in pieces.
pub enum Answer {
    /// It came at once, since the function does not stream or failed before.
    Whole(Invocation),
    /// It has begun.
    Streamed(StreamedAnswer),
}

/// An answer that comes in pieces.
pub struct StreamedAnswer {
    /// The function's version.
    pub executed_version: Version,
    /// The content type that the function gave it.
    pub content_type: Option<String>,
    pieces: mpsc::Receiver<Bytes>,
    end: oneshot::Receiver<Result<Invocation, Error>>,
}

/// The first half of such an answer.
pub(crate) struct Beginning {
    executed_version: Version,
    begun: Begun,
}

impl StreamedAnswer {
    pub(crate) fn new(
        beginning: Beginning,
        end: oneshot::Receiver<Result<Invocation, Error>>,
    ) -> Self {
        let Beginning {
            executed_version,
            begun: Begun {
                content_type,
                pieces,
            },
        } = beginning;
        Self {
            executed_version,
            content_type,
            pieces,
            end,
        }
    }

    /// The next piece; none when there are no more.
    pub async fn next(&mut self) -> Option<Bytes> {
        self.pieces.recv().await
    }

    /// How it ended: an invocation without a payload, unless it failed.
    ///
    /// # Errors
    /// The server failed, or is stopping.
    pub async fn end(self) -> Result<Invocation, Error> {
        self.end.await.unwrap_or(Err(Error::Closed))
    }
}

/// How an invocation ended, in terms of AWS's answer and report.
struct End {
    payload: Bytes,
    failed: bool,
    /// `Status` and `Error Type` of the report line, where it has them.
    status: Option<(&'static str, Option<&'static str>)>,
    /// Whether the process may run another one.
    reusable: bool,
}

/// Runs one invocation to its end; `wait` tells whether it waits for room.
pub(crate) async fn run(
    inner: &Arc<Inner>,
    function: &Function,
    request: Request,
    wait: bool,
    counters: &Counters,
    begin: &mut Option<oneshot::Sender<Beginning>>,
) -> Result<Invocation, Error> {
    let (permit, warm) = inner.pool.enter(function, wait).await?;
    let _running = counters.runs();
    let (mut process, cold) = match warm {
        Some(process) => (process, false),
        None => match inner.start(function, false).await {
            Err(Error::Entrypoint(reason)) => {
                counters.ran(Duration::ZERO, true, true);
                return Ok(not_started(inner, function, request.request_id, &reason).await);
            }
            started => (started?, true),
        },
    };
    let stream = process.log_stream.clone();
    let mut lines = Lines::new(&inner.env, &inner.logs, function.name.log_group(), stream);
    let mut run = Run {
        inner,
        function,
        id: &request.request_id,
        process: &mut process,
        lines: &mut lines,
        begin,
    };
    let (end, took) = run.all(cold, &request).await;
    counters.ran(took, end.failed, cold);
    lines.flush().await;
    if end.reusable {
        inner.pool.leave(permit, process);
    }
    Ok(Invocation {
        request_id: request.request_id,
        executed_version: function.version,
        payload: end.payload,
        failed: end.failed,
        log_tail: lines.into_tail(),
    })
}

/// The outcome of an invocation whose function has no program that can be started: an error of the function, as on AWS.
async fn not_started(inner: &Inner, function: &Function, id: String, reason: &str) -> Invocation {
    let kind = "Runtime.InvalidEntrypoint";
    let end = broken(&id, "error", kind, reason);
    let (stream, version) = (log_stream(&inner.env, function.version), function.version);
    let mut lines = Lines::new(&inner.env, &inner.logs, function.name.log_group(), stream);
    lines.push_untold(init_start(inner, function));
    lines.push(format!("START RequestId: {id} Version: {version}"));
    lines.push(format!("RequestId: {id} Error: {reason}"));
    lines.push(kind.to_owned());
    lines.push(format!("END RequestId: {id}"));
    let memory_mb = function.configuration.memory_mb;
    let took = Took {
        ran: Duration::ZERO,
        init: Some(Duration::ZERO),
    };
    lines.push(report(&id, took, (memory_mb, 0), &end));
    lines.flush().await;
    Invocation {
        request_id: id,
        executed_version: function.version,
        payload: end.payload,
        failed: end.failed,
        log_tail: lines.into_tail(),
    }
}

/// The times that a report tells.
struct Took {
    ran: Duration,
    /// The start of the process before it.
    init: Option<Duration>,
}

struct Run<'a, 'l> {
    inner: &'a Inner,
    function: &'a Function,
    id: &'a str,
    process: &'a mut Process,
    lines: &'a mut Lines<'l>,
    /// Told of an answer that comes in pieces, where the caller takes such.
    begin: &'a mut Option<oneshot::Sender<Beginning>>,
}

impl Run<'_, '_> {
    /// The end of it, and how long the function ran.
    async fn all(&mut self, cold: bool, request: &Request) -> (End, Duration) {
        let clock = &self.inner.env.clock;
        let started = clock.elapsed();
        if cold {
            self.lines
                .push_untold(init_start(self.inner, self.function));
            for note in std::mem::take(&mut self.process.notes) {
                self.lines.push_untold(note);
            }
        }
        let early = if cold { self.init(started).await } else { None };
        let init = cold.then(|| clock.elapsed() - started);
        let started = clock.elapsed();
        let version = self.function.version;
        self.lines
            .push(format!("START RequestId: {} Version: {version}", self.id));
        let end = match early {
            Some(signal) => self.end(signal),
            None => self.call(request, started).await,
        };
        self.lines.push(format!("END RequestId: {}", self.id));
        let ran = clock.elapsed() - started;
        let memory = (
            self.function.configuration.memory_mb,
            self.process.memory_peak_mb,
        );
        let line = report(self.id, Took { ran, init }, memory, &end);
        self.lines.push(line);
        (end, ran)
    }

    /// Waits until the process asks for work; whatever else happens is the invocation's end.
    async fn init(&mut self, started: Duration) -> Option<Signal> {
        let deadline = started + limits::INIT_TIME + self.timeout();
        match self.watch(deadline).await {
            Signal::Reported(Report::Ready) => {
                self.process.end_line(self.lines);
                None
            }
            other => Some(other),
        }
    }

    async fn call(&mut self, request: &Request, started: Duration) -> End {
        let arn = self.inner.options.function_arn(&self.function.name);
        let work = Work {
            request_id: self.id.to_owned(),
            payload: request.payload.clone(),
            deadline: self.inner.env.clock.now().plus(self.timeout()),
            function_arn: match &request.qualifier {
                Some(qualifier) => format!("{arn}:{qualifier}"),
                None => arn.to_string(),
            },
            client_context: request.client_context.clone(),
            trace_id: trace_id(&self.inner.env),
            streams: self.begin.is_some(),
        };
        self.process.give(work);
        let deadline = started + self.timeout();
        loop {
            match self.watch(deadline).await {
                // A process that was warm asks for work only now.
                Signal::Reported(Report::Ready) => {}
                Signal::Reported(Report::Begun(begun)) => self.tell(begun),
                signal => return self.end(signal),
            }
        }
    }

    /// Hands the pieces on; a caller who is gone takes none.
    fn tell(&mut self, begun: Begun) {
        if let Some(begin) = self.begin.take() {
            let executed_version = self.function.version;
            drop(begin.send(Beginning {
                executed_version,
                begun,
            }));
        }
    }

    async fn watch(&mut self, deadline: Duration) -> Signal {
        let memory_mb = self.function.configuration.memory_mb;
        self.process
            .watch(
                Bounds {
                    deadline,
                    memory_mb,
                },
                self.lines,
            )
            .await
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.function.configuration.timeout_s.into())
    }

    fn end(&mut self, signal: Signal) -> End {
        match signal {
            Signal::Reported(Report::Response(payload)) => End {
                payload,
                failed: false,
                status: None,
                reusable: true,
            },
            Signal::Reported(Report::Error(payload)) => End {
                payload,
                failed: true,
                status: None,
                reusable: true,
            },
            Signal::Reported(Report::InitError(payload)) => End {
                payload,
                failed: true,
                status: Some(("error", None)),
                reusable: false,
            },
            Signal::Reported(Report::TooLarge) => End {
                payload: too_large(limits::RESPONSE_BYTES_MAX as u64),
                failed: true,
                status: Some(("error", Some("Function.ResponseSizeTooLarge"))),
                reusable: true,
            },
            Signal::Reported(Report::StreamTooLarge) => End {
                payload: too_large(limits::STREAMED_BYTES_MAX),
                failed: true,
                status: Some(("error", Some("Function.ResponseSizeTooLarge"))),
                reusable: false,
            },
            Signal::Reported(Report::Streamed(Ok(()))) => End {
                payload: Bytes::new(),
                failed: false,
                status: None,
                reusable: true,
            },
            Signal::Reported(Report::Streamed(Err(payload))) => End {
                payload,
                failed: true,
                status: Some(("error", None)),
                reusable: true,
            },
            Signal::Reported(Report::CutOff) => self.broken(
                "error",
                "Runtime.TruncatedResponse",
                "Runtime hung up before its response was complete",
            ),
            Signal::Reported(Report::Ready | Report::Begun(_)) => {
                unreachable!("a process that is ready or has begun has not ended")
            }
            Signal::TimedOut => {
                let text = format!(
                    "Task timed out after {:.2} seconds",
                    self.timeout().as_secs_f64()
                );
                let now = jiff::Timestamp::from_millisecond(self.inner.env.clock.now().0 as i64);
                let now = now.unwrap_or_default().strftime("%Y-%m-%dT%H:%M:%S%.3fZ");
                self.lines.push(format!("{now} {} {text}", self.id));
                self.broken("timeout", "Sandbox.Timedout", &text)
            }
            Signal::OutOfMemory => self.broken(
                "error",
                "Runtime.OutOfMemory",
                "Runtime exited with error: signal: killed",
            ),
            Signal::Exited(status) => self.broken("error", "Runtime.ExitError", &exit_text(status)),
        }
    }

    fn broken(&self, status: &'static str, kind: &'static str, text: &str) -> End {
        broken(self.id, status, kind, text)
    }
}

/// The end of an invocation whose process is of no more use.
fn broken(id: &str, status: &'static str, kind: &'static str, text: &str) -> End {
    let message = format!("RequestId: {id} Error: {text}");
    let payload = json!({ "errorType": kind, "errorMessage": message })
        .to_string()
        .into();
    let kind = (status == "error").then_some(kind);
    End {
        payload,
        failed: true,
        status: Some((status, kind)),
        reusable: false,
    }
}

/// The first line of a process.
pub(crate) fn init_start(inner: &Inner, function: &Function) -> String {
    let runtime = &function.configuration.runtime;
    format!(
        "INIT_START Runtime Version: {}\tRuntime Version ARN: {}",
        runtime.version(),
        runtime.version_arn(&inner.options.region)
    )
}

/// The name of an invocation to X-Ray, which is not told of it.
pub(crate) fn trace_id(env: &Env) -> String {
    let seconds = env.clock.now().0 / 1000;
    let id = || env.random.uuid().replace('-', "");
    format!(
        "Root=1-{seconds:08x}-{};Parent={};Sampled=0",
        &id()[..24],
        &id()[..16]
    )
}

/// The last line of an invocation; `memory` is what the function may use and the most that it used, in MB.
fn report(id: &str, took: Took, (memory_mb, peak_mb): (u32, u32), end: &End) -> String {
    let ms = |d: Duration| format!("{:.2} ms", d.as_secs_f64() * 1000.0);
    let billed = (took.ran + took.init.unwrap_or_default()).as_secs_f64() * 1000.0;
    // As on AWS a tab stands behind each of these, the last one too.
    let mut line = format!(
        "REPORT RequestId: {id}\tDuration: {}\tBilled Duration: {} ms\tMemory Size: {memory_mb} MB\t\
         Max Memory Used: {peak_mb} MB\t",
        ms(took.ran),
        billed.ceil(),
    );
    if let Some(init) = took.init {
        line += &format!("Init Duration: {}\t", ms(init));
    }
    if let Some((status, kind)) = end.status {
        line += &format!("Status: {status}");
        if let Some(kind) = kind {
            line += &format!("\tError Type: {kind}");
        }
    }
    line
}

fn too_large(max: u64) -> Bytes {
    let message =
        format!("Response payload size exceeded maximum allowed payload size ({max} bytes).");
    json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message })
        .to_string()
        .into()
}

/// How AWS words the end of a process.
fn exit_text(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => {
            format!("Runtime exited with error: signal: {}", signal_name(signal))
        }
        (None, None) => "Runtime exited with error".to_owned(),
    }
}

/// Signals by the words that Go, in which AWS's supervisor is written, has for them.
fn signal_name(signal: i32) -> String {
    match signal {
        1 => "hangup".into(),
        2 => "interrupt".into(),
        4 => "illegal instruction".into(),
        6 => "aborted".into(),
        7 => "bus error".into(),
        8 => "floating point exception".into(),
        9 => "killed".into(),
        11 => "segmentation fault".into(),
        13 => "broken pipe".into(),
        15 => "terminated".into(),
        other => format!("signal {other}"),
    }
}
