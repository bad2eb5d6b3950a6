//! A function: its name, its configuration, its code.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, str::FromStr};

use headwater_types::{Arn, Invalid, Millis};
use serde::{Deserialize, Serialize};

use crate::{Error, Layer, Version, limits};

/// A function's name: 1 to 64 of `[a-zA-Z0-9-_]`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FunctionName(String);

/// How a function is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// By `python3` and our bootstrap.
    Python,
    /// By `node` and our bootstrap.
    Node,
    /// By `ruby` and our bootstrap.
    Ruby,
    /// By `java` and our bootstrap, which `javac` compiles when it is first needed.
    Java,
    /// By the package's own `bootstrap`.
    Provided,
}

/// A runtime's identifier, such as `python3.12`, `nodejs22.x` or `provided.al2023`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Runtime(String);

/// How a function is to be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The runtime that runs it.
    pub runtime: Runtime,
    /// `module.function`, or whatever a provided runtime makes of it.
    pub handler: String,
    /// The role's ARN: kept for clients, nothing is assumed with it.
    pub role: String,
    /// A text for people.
    pub description: String,
    /// How long one invocation may take, 1 to 900 seconds.
    pub timeout_s: u32,
    /// How much memory its process may use, 128 to 10,240 MB.
    pub memory_mb: u32,
    /// Environment variables; given as none they are told apart from not given, as on AWS.
    pub environment: Option<BTreeMap<String, String>>,
    /// Packages that it has under `/opt`; what a later one has goes before what an earlier one has.
    #[serde(default)]
    pub layers: Vec<Layer>,
    /// Where events go that were given up: a queue or a topic.
    #[serde(default)]
    pub dead_letters: Option<Arn>,
}

/// A function's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The package's id in the store, new for every upload.
    pub package: String,
    /// The SHA-256 of the zip file, in base64.
    pub sha256: String,
    /// The zip file's size in bytes.
    pub size: u64,
    /// The size of its files, as its directory says; 0 where that was not noted yet.
    #[serde(default)]
    pub unpacked: u64,
}

/// A version of a function as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: FunctionName,
    /// The version that this is.
    #[serde(default)]
    pub version: Version,
    /// How it is run.
    pub configuration: Configuration,
    /// The code that is run.
    pub code: Code,
    /// When either was changed.
    pub last_modified: Millis,
    /// A random id, new after every change, of tags too.
    pub revision: String,
    /// A random id, new after every change of what processes are made of: the configuration and the code.
    #[serde(default)]
    pub build: String,
    /// The last that was published of the latest version.
    #[serde(default)]
    pub published: Option<Published>,
    /// Words that its owner sorts it by.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The version that was published last, also when it is deleted by now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Its number.
    pub number: u64,
    /// The build of the function that it was made of.
    pub build: String,
}

/// The names that a function's environment gets from the server, so that its owner may not set them (AWS's list).
const RESERVED_VARIABLES: &[&str] = &[
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

impl Configuration {
    /// A configuration with AWS's defaults: 3 seconds, 128 MB, no variables.
    pub fn new(runtime: Runtime, handler: impl Into<String>, role: impl Into<String>) -> Self {
        Self {
            runtime,
            handler: handler.into(),
            role: role.into(),
            description: String::new(),
            timeout_s: 3,
            memory_mb: 128,
            environment: None,
            layers: Vec::new(),
            dead_letters: None,
        }
    }

    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        within("timeout", self.timeout_s, 1..=900)?;
        within("memory size", self.memory_mb, 128..=10_240)?;
        self.environment.as_ref().map_or(Ok(()), check_environment)
    }
}

fn within(what: &'static str, value: u32, range: RangeInclusive<u32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let why = format!(
        "{value} is not between {} and {}",
        range.start(),
        range.end()
    );
    Err(Error::Invalid { what, why })
}

fn check_environment(variables: &BTreeMap<String, String>) -> Result<(), Error> {
    let invalid = |why: String| {
        let why =
            format!("Lambda was unable to configure your environment variables because {why}");
        Err(Error::Invalid {
            what: "environment",
            why,
        })
    };
    let reserved: Vec<&str> = variables
        .keys()
        .map(String::as_str)
        .filter(|k| RESERVED_VARIABLES.contains(k))
        .collect();
    if !reserved.is_empty() {
        return invalid(format!(
            "the environment variables you have provided contains reserved keys that are currently not supported \
             for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        ));
    }
    if let Some(name) = variables.keys().find(|name| !is_variable_name(name)) {
        return invalid(format!("{name:?} is not a name of a variable"));
    }
    if variables.values().any(|value| value.contains('\0')) {
        return invalid("a value holds a zero byte".into());
    }
    let measured = serde_json::to_string(variables).expect("a map of strings is always JSON");
    if measured.len() > limits::ENVIRONMENT_BYTES_MAX {
        return invalid(format!(
            "the environment variables you have provided exceeded the 4KB limit. String measured: {measured}"
        ));
    }
    Ok(())
}

/// AWS's pattern: `[a-zA-Z]([a-zA-Z0-9_])+`.
fn is_variable_name(name: &str) -> bool {
    name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl FunctionName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The log group that the function's output goes to.
    pub fn log_group(&self) -> String {
        format!("/aws/lambda/{}", self.0)
    }
}

impl FromStr for FunctionName {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if (1..=64).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("function name", text))
        }
    }
}

impl TryFrom<String> for FunctionName {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<FunctionName> for String {
    fn from(name: FunctionName) -> String {
        name.0
    }
}

impl fmt::Display for FunctionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Runtime {
    /// The identifier.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// How it is run: by its family, whatever the version, with what the machine has.
    pub fn kind(&self) -> RuntimeKind {
        if self.0.starts_with("python") {
            RuntimeKind::Python
        } else if self.0.starts_with("nodejs") {
            RuntimeKind::Node
        } else if self.0.starts_with("ruby") {
            RuntimeKind::Ruby
        } else if self.0.starts_with("java") {
            RuntimeKind::Java
        } else {
            RuntimeKind::Provided
        }
    }
}

impl FromStr for Runtime {
    type Err = Invalid;

    /// `python3.N`, `nodejsN.x`, `rubyN.N`, `javaN` and `provided` are run, some with a system's name behind a dot; no
    /// other family is.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let number =
            |n: &str| !n.is_empty() && n.len() <= 3 && n.bytes().all(|b| b.is_ascii_digit());
        let python = text.strip_prefix("python3.").is_some_and(number);
        let node = text
            .strip_prefix("nodejs")
            .and_then(|n| n.strip_suffix(".x"))
            .is_some_and(number);
        let ruby = text
            .strip_prefix("ruby")
            .and_then(|n| n.split_once('.'))
            .is_some_and(|(major, minor)| number(major) && number(minor));
        let java = text.strip_prefix("java").is_some_and(|n| {
            let (version, system) = n.split_once('.').unwrap_or((n, "al2"));
            number(version) && matches!(system, "al2" | "al2023")
        });
        let provided = matches!(text, "provided" | "provided.al2" | "provided.al2023");
        if python || node || ruby || java || provided {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid::new("runtime", text))
        }
    }
}

impl TryFrom<String> for Runtime {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Runtime> for String {
    fn from(runtime: Runtime) -> String {
        runtime.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration() -> Configuration {
        Configuration::new(
            "python3.12".parse().unwrap(),
            "index.handler",
            "arn:aws:iam::000000000000:role/r",
        )
    }

    #[test]
    fn runtimes_are_known_by_their_family() {
        for (name, kind) in [
            ("python3.9", RuntimeKind::Python),
            ("nodejs22.x", RuntimeKind::Node),
            ("ruby3.4", RuntimeKind::Ruby),
            ("java21", RuntimeKind::Java),
            ("java8.al2", RuntimeKind::Java),
            ("provided.al2023", RuntimeKind::Provided),
        ] {
            assert_eq!(name.parse::<Runtime>().unwrap().kind(), kind);
        }
        for bad in [
            "",
            "python",
            "python2.7",
            "PYTHON3.9",
            "nodejs",
            "nodejs22",
            "java",
            "java21.x",
            "ruby3",
            "provided.x",
        ] {
            assert!(bad.parse::<Runtime>().is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_outside_of_their_bounds_are_named() {
        assert_eq!(configuration().check(), Ok(()));
        let with = |key: &str, value: &str| Configuration {
            environment: Some([(key.to_owned(), value.to_owned())].into()),
            ..configuration()
        };
        for (bad, setting) in [
            (
                Configuration {
                    timeout_s: 0,
                    ..configuration()
                },
                "timeout",
            ),
            (
                Configuration {
                    timeout_s: 901,
                    ..configuration()
                },
                "timeout",
            ),
            (
                Configuration {
                    memory_mb: 127,
                    ..configuration()
                },
                "memory size",
            ),
            (with("AWS_REGION", "x"), "environment"),
            (with("1A", "x"), "environment"),
            (with("A=B", "x"), "environment"),
            (with("AB", &"x".repeat(4096)), "environment"),
            (with("AB", "x\0"), "environment"),
        ] {
            let Err(Error::Invalid { what, .. }) = bad.check() else {
                panic!("{bad:?}")
            };
            assert_eq!(what, setting);
        }
    }

    #[test]
    fn a_record_from_before_there_were_versions_is_read() {
        let record = r#"{
            "name": "f", "last_modified": 1, "revision": "r",
            "configuration": {
                "runtime": "python3.12", "handler": "h", "role": "r", "description": "", "timeout_s": 3,
                "memory_mb": 128, "environment": {"A1": "b"}
            },
            "code": {"package": "p", "sha256": "s", "size": 1}
        }"#;
        let read: Function = serde_json::from_str(record).unwrap();
        let variables = read.configuration.environment.unwrap();
        assert_eq!(variables["A1"], "b");
        assert_eq!((read.version, read.published), (Version::Latest, None));
        assert_eq!(read.build, "");
    }

    #[test]
    fn a_name_has_only_its_letters() {
        assert!("Enrich_Events-2".parse::<FunctionName>().is_ok());
        for bad in ["", "a b", "a.b", "a:b", "../a", &"a".repeat(65)] {
            assert!(bad.parse::<FunctionName>().is_err(), "{bad}");
        }
    }
}
