//! The command line and the environment of a function's process.
//!
//! Owns which program runs a runtime, the variables that AWS sets, and the order in which wrappers stand around the
//! program: the place where layers are seen (`opt`), then the function's own `AWS_LAMBDA_EXEC_WRAPPER`, then the program.
//! Nothing that a function or a layer brings reaches the tools that prepare its place: such variables travel under other
//! names and get their own in the last shell.

use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use crate::{
    Error, Function, RuntimeKind, limits,
    opt::{OPT, View},
    process::Surroundings,
};

/// The folder of a function's code on AWS, which names of wrappers begin with.
const TASK: &str = "/var/task/";
/// The variable that names a function's wrapper.
const WRAPPER: &str = "AWS_LAMBDA_EXEC_WRAPPER";
/// The start of the names under which variables travel past the tools.
const LATER: &str = "HEADWATER_LATER_";
/// Variables that change what a shell or a tool does.
const TELLING: &[&str] = &[
    "PATH",
    "ENV",
    "BASH_ENV",
    "CDPATH",
    "IFS",
    "PS4",
    "SHELLOPTS",
    "BASHOPTS",
    "POSIXLY_CORRECT",
    "GCONV_PATH",
    "LOCPATH",
    "GLIBC_TUNABLES",
    "MALLOC_TRACE",
];

/// A process that is to be started.
pub(crate) struct Launch<'a> {
    pub function: &'a Function,
    pub surroundings: &'a Surroundings<'a>,
    /// The folder with the function's code.
    pub code: &'a Path,
    /// Where its layers are seen.
    pub view: &'a View,
    pub runtime_api: String,
    pub log_stream: &'a str,
}

impl Launch<'_> {
    /// The command, ready but for its input and output.
    pub fn command(&self) -> Result<Command, Error> {
        let variables = self.variables();
        let path = variables.get("PATH").map_or("", String::as_str);
        let mut argv = self.program(path)?;
        if let Some(wrapper) = self.wrapper(&variables) {
            argv.insert(0, wrapper);
        } else if !self.view.is_mounted() {
            let mut command = Command::new(&argv[0]);
            command.args(&argv[1..]).env_clear().envs(&variables);
            command.current_dir(self.code);
            return Ok(command);
        }
        Ok(self.through_shell(argv, variables))
    }

    /// A shell that sets the variables which were held back, and becomes the wrapper or the program.
    fn through_shell(&self, argv: Vec<String>, variables: BTreeMap<String, String>) -> Command {
        let mut script = String::new();
        let mut given = BTreeMap::new();
        for (name, value) in variables {
            if is_telling(&name) {
                script += &format!("export {name}=\"${LATER}{name}\"; unset {LATER}{name}\n");
                given.insert(format!("{LATER}{name}"), value);
            } else {
                given.insert(name, value);
            }
        }
        script += "exec \"$@\"";
        let mut line = self.view.tools();
        line.extend(["sh", "-c", &script, "sh"].map(str::to_owned));
        line.extend(argv);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env_clear().envs(given);
        // The tools are the server's, and found as the server finds them.
        command.envs(self.surroundings.options.inherited.get_key_value("PATH"));
        command.current_dir(self.code);
        command
    }

    /// The program of the runtime and its arguments.
    fn program(&self, path: &str) -> Result<Vec<String>, Error> {
        let configuration = &self.function.configuration;
        let bootstraps = self.surroundings.bootstraps;
        let bootstrap = |name: &str| bootstraps.join(name).display().to_string();
        let (program, arguments) = match configuration.runtime.kind() {
            // Nothing is written beside the code, and output is not held back.
            RuntimeKind::Python => {
                let mut arguments = vec!["-B".into(), "-u".into(), bootstrap("bootstrap.py")];
                arguments.extend(self.python_folders());
                ("python3", arguments)
            }
            // The heap is told its bounds, so that V8 collects before the process is killed for it: three quarters for
            // what is old, three of V8's halves for what is new. Buffers come on top.
            RuntimeKind::Node => {
                let memory_mb = configuration.memory_mb;
                let semi_space = (memory_mb / 16).min(limits::NODE_SEMI_SPACE_MB_MAX);
                let arguments = vec![
                    format!("--max-old-space-size={}", memory_mb * 3 / 4),
                    format!("--max-semi-space-size={semi_space}"),
                    bootstrap("bootstrap.mjs"),
                ];
                ("node", arguments)
            }
            RuntimeKind::Ruby => ("ruby", vec!["-W0".into(), bootstrap("bootstrap.rb")]),
            RuntimeKind::Java => ("java", self.java()),
            RuntimeKind::Provided => return Ok(vec![self.own_bootstrap()?]),
        };
        let found = find(program, path).ok_or_else(|| lacking(program))?;
        let mut argv = vec![found.display().to_string()];
        argv.extend(arguments);
        Ok(argv)
    }

    /// The arguments of Java: small and quick to start, as AWS starts it, and all that may hold classes.
    fn java(&self) -> Vec<String> {
        let memory_mb = self.function.configuration.memory_mb;
        let code = self.code.display();
        let mut places = vec![format!("{code}"), format!("{code}/lib/*")];
        let layers = self.view.folders().into_iter();
        places.extend(layers.map(|layer| format!("{layer}/java/lib/*")));
        // Last, so that the package's own copy of AWS's interfaces goes before what stands in for it.
        places.push(
            self.surroundings
                .bootstraps
                .join("java")
                .display()
                .to_string(),
        );
        vec![
            format!("-Xmx{}m", (memory_mb * 85 / 100).max(64)),
            "-XX:+UseSerialGC".into(),
            "-XX:TieredStopAtLevel=1".into(),
            "-Xshare:auto".into(),
            "-cp".into(),
            places.join(":"),
            "headwater.Bootstrap".into(),
        ]
    }

    /// The folders of layers that Python looks into, behind the code's own.
    fn python_folders(&self) -> Vec<String> {
        let runtime = self.function.configuration.runtime.as_str();
        let layers = self.view.folders().into_iter();
        let of = |layer: String| {
            [
                format!("{layer}/python/lib/{runtime}/site-packages"),
                format!("{layer}/python"),
            ]
        };
        layers.flat_map(of).collect()
    }

    /// The package's own program, or that of a layer. One that cannot be started is the function's fault, in AWS's words.
    fn own_bootstrap(&self) -> Result<String, Error> {
        let own = self.code.join("bootstrap");
        let here = self.view.find("bootstrap");
        let (found, shown, path) = match (own.exists(), here) {
            (true, _) => (
                own.clone(),
                "/var/task/bootstrap",
                own.display().to_string(),
            ),
            (false, Some((file, seen))) => (file, "/opt/bootstrap", seen),
            (false, None) => {
                let text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";
                return Err(Error::Entrypoint(text.to_owned()));
            }
        };
        match is_program(&found) {
            true => Ok(path),
            false => {
                let text = format!("fork/exec {shown}: permission denied");
                Err(Error::Entrypoint(text))
            }
        }
    }

    /// The function's wrapper, which AWS runs the programs of its own runtimes in.
    fn wrapper(&self, variables: &BTreeMap<String, String>) -> Option<String> {
        let wrapper = variables.get(WRAPPER).filter(|path| !path.is_empty())?;
        if self.function.configuration.runtime.kind() == RuntimeKind::Provided {
            return None;
        }
        if let Some(inner) = wrapper.strip_prefix(TASK) {
            return Some(self.code.join(inner).display().to_string());
        }
        let in_layers = wrapper
            .strip_prefix(OPT)
            .and_then(|inner| inner.strip_prefix('/'));
        let found = in_layers.and_then(|inner| self.view.find(inner));
        Some(found.map_or_else(|| wrapper.clone(), |(_, seen)| seen))
    }

    /// All variables: what the server passes on, what AWS sets, and what the function's owner set.
    fn variables(&self) -> BTreeMap<String, String> {
        let options = self.surroundings.options;
        let mut all: BTreeMap<String, String> = BTreeMap::new();
        all.extend(options.inherited.clone());
        all.extend(self.set_by_aws());
        self.add_places(&mut all);
        all.extend(
            self.function
                .configuration
                .environment
                .clone()
                .into_iter()
                .flatten(),
        );
        all
    }

    /// The variables that lead to what a function and its layers bring; layers come last, as on AWS.
    fn add_places(&self, all: &mut BTreeMap<String, String>) {
        let code = self.code.display().to_string();
        let layers = self.view.folders();
        let of = |below: &str| {
            layers
                .iter()
                .map(move |layer| format!("{layer}/{below}"))
                .collect::<Vec<_>>()
        };
        let mut path: Vec<String> = all.get("PATH").cloned().into_iter().collect();
        path.extend(of("bin"));
        all.insert("PATH".into(), path.join(":"));
        let mut libraries = vec![code.clone(), format!("{code}/lib")];
        libraries.extend(of("lib"));
        all.insert("LD_LIBRARY_PATH".into(), libraries.join(":"));
        let configuration = &self.function.configuration;
        match configuration.runtime.kind() {
            RuntimeKind::Node if !layers.is_empty() => {
                let runtime = configuration.runtime.as_str();
                let version = runtime.trim_start_matches("nodejs").trim_end_matches(".x");
                let mut modules = of(&format!("nodejs/node{version}/node_modules"));
                modules.extend(of("nodejs/node_modules"));
                all.insert("NODE_PATH".into(), modules.join(":"));
            }
            RuntimeKind::Ruby => {
                let version = configuration.runtime.as_str().trim_start_matches("ruby");
                let mut libraries = vec![code.clone()];
                libraries.extend(of("ruby/lib"));
                all.insert("RUBYLIB".into(), libraries.join(":"));
                let mut gems = vec![format!("{code}/vendor/bundle/ruby/{version}.0")];
                gems.extend(of(&format!("ruby/gems/{version}.0")));
                all.insert("GEM_PATH".into(), gems.join(":"));
            }
            _ => {}
        }
    }

    /// The variables that AWS sets, as far as they mean something here, and those by which this server is reached.
    fn set_by_aws(&self) -> BTreeMap<String, String> {
        let (function, options) = (self.function, self.surroundings.options);
        let configuration = &function.configuration;
        let mut variables = vec![
            ("AWS_LAMBDA_RUNTIME_API", self.runtime_api.clone()),
            ("_HANDLER", configuration.handler.clone()),
            ("LAMBDA_TASK_ROOT", self.code.display().to_string()),
            (
                "LAMBDA_RUNTIME_DIR",
                self.surroundings.bootstraps.display().to_string(),
            ),
            ("AWS_LAMBDA_FUNCTION_NAME", function.name.to_string()),
            ("AWS_LAMBDA_FUNCTION_VERSION", function.version.to_string()),
            (
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                configuration.memory_mb.to_string(),
            ),
            ("AWS_LAMBDA_LOG_GROUP_NAME", function.name.log_group()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", self.log_stream.to_owned()),
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
        if configuration.runtime.kind() != RuntimeKind::Provided {
            let name = format!("AWS_Lambda_{}", configuration.runtime.as_str());
            variables.push(("AWS_EXECUTION_ENV", name));
        }
        let variables = variables.into_iter();
        variables
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// Whether a variable would change what the tools do that run before the function.
fn is_telling(name: &str) -> bool {
    TELLING.contains(&name)
        || ["LD_", "LIBMOUNT_", "DYLD_"]
            .iter()
            .any(|start| name.starts_with(start))
}

/// The program of that name on a path like PATH.
pub(crate) fn find(program: &str, path: &str) -> Option<PathBuf> {
    let folders = path.split(':').filter(|folder| folder.starts_with('/'));
    folders
        .map(|folder| Path::new(folder).join(program))
        .find(|file| is_program(file))
}

fn is_program(file: &Path) -> bool {
    let about = std::fs::metadata(file);
    about.is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

/// The error of a program that the server's machine lacks.
pub(crate) fn lacking(program: &str) -> Error {
    let error = io::Error::from_raw_os_error(rustix::io::Errno::NOENT.raw_os_error());
    Error::Runtime {
        program: program.to_owned(),
        error: error.to_string().into(),
    }
}

/// The system's words for an error as Go, in which AWS's supervisor is written, has them.
pub(crate) fn system_words(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}
