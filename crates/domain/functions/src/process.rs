//! One process of a function: started, given invocations one at a time, watched, killed.

use std::{io, path::Path, process::ExitStatus, sync::Arc, time::Duration};

use headwater_env::Env;
use rustix::process::Pid;
use tokio::process::{Child, Command};

use crate::{
    Error, Function, Options, RuntimeKind, Version,
    leftovers::{Leftovers, kill_group, memory_mb},
    limits,
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
    child: Child,
    pid: Pid,
    exited: bool,
    api: RuntimeApi,
    output: Output,
    env: Env,
    leftovers: Arc<Leftovers>,
    _code: Arc<CodeDir>,
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
    /// Starts a process for `function` whose code is in `code`.
    pub async fn start(
        surroundings: Surroundings<'_>,
        function: &Function,
        code: Arc<CodeDir>,
        is_kept: bool,
    ) -> Result<Self, Error> {
        let api = RuntimeApi::listen(surroundings.env)
            .await
            .map_err(Error::disk("opening a runtime API"))?;
        let (output, stdout, stderr) = Output::new().map_err(Error::disk("making a pipe"))?;
        let log_stream = log_stream(surroundings.env, function.version);
        let mut command = program(function, surroundings.bootstraps, &code.path);
        command
            .current_dir(&code.path)
            .env_clear()
            .envs(&surroundings.options.inherited)
            .envs(variables(
                function,
                &surroundings,
                &api,
                &code.path,
                &log_stream,
            ))
            .env("AWS_LAMBDA_INITIALIZATION_TYPE", initialization(is_kept))
            .envs(function.configuration.environment.iter().flatten())
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
            _code: code,
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
                if !matches!(signal, Signal::Reported(Report::Ready)) {
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
    let program = command.as_std().get_program();
    if function.configuration.runtime.kind() != RuntimeKind::Provided {
        return Error::Runtime {
            program: program.to_string_lossy().into_owned(),
            error: error.to_string().into(),
        };
    }
    let is_missing = error.kind() == io::ErrorKind::NotFound && !Path::new(program).exists();
    Error::Entrypoint(match is_missing {
        true => "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]".to_owned(),
        false => format!("fork/exec /var/task/bootstrap: {}", system_words(error)),
    })
}

/// The system's words for an error as Go, in which AWS's supervisor is written, has them.
fn system_words(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}

fn program(function: &Function, bootstraps: &Path, code: &Path) -> Command {
    match function.configuration.runtime.kind() {
        RuntimeKind::Python => {
            let mut command = Command::new("python3");
            // Nothing is written beside the code, and output is not held back.
            command
                .args(["-B", "-u"])
                .arg(bootstraps.join("bootstrap.py"));
            command
        }
        RuntimeKind::Node => {
            let mut command = Command::new("node");
            // The heap is told its bounds, so that V8 collects before the process is killed for it: three quarters for
            // what is old, three of V8's halves for what is new. Buffers come on top.
            let memory_mb = function.configuration.memory_mb;
            command.arg(format!("--max-old-space-size={}", memory_mb * 3 / 4));
            command.arg(format!(
                "--max-semi-space-size={}",
                (memory_mb / 16).min(limits::NODE_SEMI_SPACE_MB_MAX)
            ));
            command.arg(bootstraps.join("bootstrap.mjs"));
            command
        }
        RuntimeKind::Provided => Command::new(code.join("bootstrap")),
    }
}

/// AWS's word for the occasion at which a process is started.
fn initialization(is_kept: bool) -> &'static str {
    match is_kept {
        true => "provisioned-concurrency",
        false => "on-demand",
    }
}

/// The variables that AWS sets, as far as they mean something here, and those by which this server is reached.
fn variables(
    function: &Function,
    surroundings: &Surroundings<'_>,
    api: &RuntimeApi,
    code: &Path,
    log_stream: &str,
) -> Vec<(&'static str, String)> {
    let (configuration, options) = (&function.configuration, surroundings.options);
    let bootstraps = surroundings.bootstraps.display().to_string();
    let mut variables = vec![
        ("AWS_LAMBDA_RUNTIME_API", api.address.to_string()),
        ("_HANDLER", configuration.handler.clone()),
        ("LAMBDA_TASK_ROOT", code.display().to_string()),
        ("LAMBDA_RUNTIME_DIR", bootstraps),
        ("AWS_LAMBDA_FUNCTION_NAME", function.name.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", function.version.to_string()),
        (
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            configuration.memory_mb.to_string(),
        ),
        ("AWS_LAMBDA_LOG_GROUP_NAME", function.name.log_group()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", log_stream.to_owned()),
        ("AWS_REGION", options.region.0.clone()),
        ("AWS_DEFAULT_REGION", options.region.0.clone()),
        ("AWS_ACCESS_KEY_ID", options.access_key_id.clone()),
        ("AWS_SECRET_ACCESS_KEY", options.secret_access_key.clone()),
        ("AWS_SESSION_TOKEN", options.session_token.clone()),
        ("AWS_ENDPOINT_URL", options.endpoint_url.clone()),
        // There is no daemon to tell; AWS's clients of X-Ray note that in the log then, and go on.
        ("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR".to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
    ];
    let kind = configuration.runtime.kind();
    if kind != RuntimeKind::Provided {
        variables.push((
            "AWS_EXECUTION_ENV",
            format!("AWS_Lambda_{}", configuration.runtime.as_str()),
        ));
    }
    variables
}

/// `YYYY/MM/DD/[<version>]<32 hex digits>`.
pub(crate) fn log_stream(env: &Env, version: Version) -> String {
    let now = jiff::Timestamp::from_millisecond(env.clock.now().0 as i64).unwrap_or_default();
    let id = env.random.uuid().replace('-', "");
    format!("{}/[{version}]{id}", now.strftime("%Y/%m/%d"))
}
