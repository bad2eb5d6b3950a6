//! One process of a function: started, given invocations one at a time, watched, killed.

use std::{io, path::Path, process::ExitStatus, sync::Arc, time::Duration};

use headwater_env::Env;
use rustix::process::Pid;
use tokio::process::{Child, Command};

use crate::{
    Error, Function, Options, RuntimeKind, Version,
    launch::{Launch, system_words},
    leftovers::{Leftovers, kill_group, memory_mb},
    limits,
    opt::View,
    output::{Lines, Output},
    runtime_api::{Report, RuntimeApi, Work},
    unpack::CodeDir,
};

/// A running process; killed with all that it started when this is dropped.
pub(crate) struct Process {
    /// The build of the function that it runs.
    pub build: String,
    /// Whether it is kept for its version, and waits for nobody else's invocations.
    pub is_kept: bool,
    /// The log stream that its output goes to.
    pub log_stream: String,
    /// The most memory seen in use, in MB.
    pub memory_peak_mb: u32,
    /// Lines for the log about how it was started.
    pub notes: Vec<String>,
    child: Child,
    pid: Pid,
    exited: bool,
    api: RuntimeApi,
    output: Output,
    env: Env,
    leftovers: Arc<Leftovers>,
    _code: Arc<CodeDir>,
    _view: View,
}

/// The end of an invocation in a process.
pub(crate) enum Signal {
    Reported(Report),
    Exited(ExitStatus),
    TimedOut,
    OutOfMemory,
}

/// Until when and within what a process is waited for.
#[derive(Clone, Copy)]
pub(crate) struct Bounds {
    /// On the clock's elapsed time.
    pub deadline: Duration,
    pub memory_mb: u32,
}

/// The surroundings of a process.
pub(crate) struct Surroundings<'a> {
    pub env: &'a Env,
    pub options: &'a Options,
    pub leftovers: &'a Arc<Leftovers>,
    /// The folder with our bootstraps.
    pub bootstraps: &'a Path,
}

impl Process {
    /// Starts a process for `function` whose code is in `code`, and which sees its layers as `view` shows them.
    pub async fn start(
        surroundings: Surroundings<'_>,
        function: &Function,
        code: Arc<CodeDir>,
        view: View,
        is_kept: bool,
    ) -> Result<Self, Error> {
        let api = RuntimeApi::listen(surroundings.env)
            .await
            .map_err(Error::disk("opening a runtime API"))?;
        let (output, stdout, stderr) = Output::new().map_err(Error::disk("making a pipe"))?;
        let log_stream = log_stream(surroundings.env, function.version);
        let launch = Launch {
            function,
            surroundings: &surroundings,
            code: &code.path,
            view: &view,
            runtime_api: api.address.to_string(),
            log_stream: &log_stream,
        };
        let mut command = launch.command()?;
        command
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", initialization(is_kept))
            .stdin(std::process::Stdio::null())
            .stdout(stdout)
            .stderr(stderr)
            .process_group(0)
            .kill_on_drop(true);
        let spawned = command.spawn();
        let child = spawned.map_err(|error| not_started(function, &command, &error))?;
        let pid = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw);
        let pid = pid.expect("a child that was not waited for has a number");
        surroundings.leftovers.note(pid);
        Ok(Self {
            build: function.build.clone(),
            is_kept,
            log_stream,
            memory_peak_mb: 0,
            child,
            pid,
            exited: false,
            api,
            output,
            env: surroundings.env.clone(),
            leftovers: surroundings.leftovers.clone(),
            notes: view.notes(),
            _code: code,
            _view: view,
        })
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        !self.exited && matches!(self.child.try_wait(), Ok(None))
    }

    /// Gives it an invocation to take when it asks.
    pub fn give(&mut self, work: Work) {
        self.api.forget();
        self.api.give(work);
    }

    /// Waits until it tells something that matters, ends, or must be ended; passes its output on meanwhile.
    pub async fn watch(&mut self, bounds: Bounds, lines: &mut Lines<'_>) -> Signal {
        loop {
            let left = bounds.deadline.saturating_sub(self.env.clock.elapsed());
            let signal = tokio::select! {
                biased;
                report = self.api.next_report() => Some(Signal::Reported(report)),
                status = self.child.wait() => Some(self.ended(status)),
                () = self.output.pump(lines) => None,
                () = self.env.clock.sleep(left.min(limits::MEMORY_CHECK_EVERY)) => self.check(bounds),
            };
            if let Some(signal) = &signal {
                self.output.drain(lines);
                // One that was given its work before it asked may be in the middle of a line.
                if !matches!(signal, Signal::Reported(Report::Ready | Report::Begun(_))) {
                    self.output.end_line(lines);
                }
                self.measure();
            }
            lines.flush().await;
            if let Some(signal) = signal {
                return signal;
            }
        }
    }

    /// Ends what it printed before it has any work.
    pub fn end_line(&mut self, lines: &mut Lines<'_>) {
        self.output.end_line(lines);
    }

    fn check(&mut self, bounds: Bounds) -> Option<Signal> {
        if self.measure() > bounds.memory_mb {
            return Some(Signal::OutOfMemory);
        }
        (self.env.clock.elapsed() >= bounds.deadline).then_some(Signal::TimedOut)
    }

    /// The memory it uses now, in MB; 0 where the system does not tell.
    fn measure(&mut self) -> u32 {
        let now = memory_mb(&*self.env.disk, self.pid).unwrap_or(0);
        self.memory_peak_mb = self.memory_peak_mb.max(now);
        now
    }

    fn ended(&mut self, status: std::io::Result<ExitStatus>) -> Signal {
        self.finish();
        // A child that cannot be waited for is as good as ended.
        Signal::Exited(status.unwrap_or_default())
    }

    /// Ends what is left of it, once.
    fn finish(&mut self) {
        if !self.exited {
            self.exited = true;
            kill_group(self.pid);
            self.leftovers.forget(self.pid);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A program of the package that cannot be started is the function's fault, in AWS's words; one that the server lacks is
/// the server's.
fn not_started(function: &Function, command: &Command, error: &io::Error) -> Error {
    if function.configuration.runtime.kind() == RuntimeKind::Provided {
        let words = system_words(error);
        return Error::Entrypoint(format!("fork/exec /var/task/bootstrap: {words}"));
    }
    let program = command.as_std().get_program();
    Error::Runtime {
        program: program.to_string_lossy().into_owned(),
        error: error.to_string().into(),
    }
}

/// AWS's word for the occasion at which a process is started.
fn initialization(is_kept: bool) -> &'static str {
    match is_kept {
        true => "provisioned-concurrency",
        false => "on-demand",
    }
}

/// `YYYY/MM/DD/[<version>]<32 hex digits>`.
pub(crate) fn log_stream(env: &Env, version: Version) -> String {
    let now = jiff::Timestamp::from_millisecond(env.clock.now().0 as i64).unwrap_or_default();
    let id = env.random.uuid().replace('-', "");
    format!("{}/[{version}]{id}", now.strftime("%Y/%m/%d"))
}
