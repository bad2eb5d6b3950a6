//! The settings of `headwater serve`. Each is a flag, an environment variable `HEADWATER_*` and a key of the file.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// How the server is to run. The flag wins over the variable, the variable over the file, the file over the default.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen on, for every service
    #[arg(
        long,
        env = "HEADWATER_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:4566"
    )]
    pub listen: SocketAddr,

    /// Folder that holds everything the server keeps
    #[arg(
        long,
        env = "HEADWATER_DATA_DIR",
        value_name = "FOLDER",
        default_value = "./headwater-data"
    )]
    pub data_dir: PathBuf,

    /// Region that names and ARNs carry
    #[arg(
        long,
        env = "HEADWATER_REGION",
        value_name = "NAME",
        default_value = "us-east-1"
    )]
    pub region: String,

    /// Account number that ARNs carry, twelve digits
    #[arg(long, env = "HEADWATER_ACCOUNT", value_name = "NUMBER", default_value = "000000000000", value_parser = account)]
    pub account: String,

    /// Whether an acknowledgement waits for the disk (fsync) or only for the operating system (os), which loses the
    /// last moments when the machine, not only the server, stops
    #[arg(
        long,
        env = "HEADWATER_DURABILITY",
        value_name = "WHEN",
        default_value = "fsync"
    )]
    pub durability: Durability,

    /// Whether shards and account have AWS's limits, or none
    #[arg(
        long,
        env = "HEADWATER_LIMITS",
        value_name = "WHOSE",
        default_value = "aws"
    )]
    pub limits: Limits,

    /// Address and port to listen on with TLS as well; without an address 127.0.0.1:4567
    #[arg(long, visible_alias = "tls", env = "HEADWATER_TLS_LISTEN", value_name = "ADDRESS", num_args = 0..=1,
          default_missing_value = "127.0.0.1:4567")]
    pub tls_listen: Option<SocketAddr>,

    /// File with the certificate for TLS and those it is signed with, PEM; by default one is made by an authority that
    /// is kept in the data folder, as tls/ca.pem
    #[arg(long, env = "HEADWATER_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,

    /// File with the key of `--tls-cert`, PEM
    #[arg(long, env = "HEADWATER_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,

    /// Requests that are taken: `signed` takes those that are signed with one of the keys below, and is the default
    /// when there are any; `any` takes all, on loopback only; `none` says outright that anyone who reaches the
    /// address may do everything [default: signed or any]
    #[arg(long, env = "HEADWATER_AUTH", value_name = "HOW")]
    pub auth: Option<Auth>,

    /// A key that requests may be signed with
    #[arg(long, env = "HEADWATER_ACCESS_KEY_ID", value_name = "ID")]
    pub access_key_id: Option<String>,

    /// The secret of that key; give it in the variable or a file rather than where others see the command line
    #[arg(
        long,
        env = "HEADWATER_SECRET_ACCESS_KEY",
        value_name = "SECRET",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub secret_access_key: Option<Secret>,

    /// File with keys that requests may be signed with, in the form of ~/.aws/credentials: one in each profile, with a
    /// session token where it has one
    #[arg(long, env = "HEADWATER_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// Where objects are kept: in the data folder, or in an S3-compatible store
    #[arg(
        long,
        env = "HEADWATER_OBJECTS",
        value_name = "WHERE",
        default_value = "directory"
    )]
    pub objects: Objects,

    /// With `--objects s3`: the store's address; its credentials come from the usual AWS variables and profiles
    #[arg(long, env = "HEADWATER_OBJECTS_ENDPOINT_URL", value_name = "URL")]
    pub objects_endpoint_url: Option<String>,

    /// File with certificates of authorities, PEM, whose destinations deliveries are made to, besides those that
    /// browsers trust
    #[arg(long, env = "HEADWATER_TRUST_CA", value_name = "FILE")]
    pub trust_ca: Option<PathBuf>,

    /// Memory for the newest records, in MiB
    #[arg(
        long,
        env = "HEADWATER_TAIL_CACHE_MIB",
        value_name = "MIB",
        default_value_t = 32
    )]
    pub tail_cache_mib: usize,

    /// Size at which a file of the log is sealed, in MiB
    #[arg(long, env = "HEADWATER_SEGMENT_MIB", value_name = "MIB", default_value_t = 64,
          value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub segment_mib: u64,

    /// Invocations of functions that run at one time
    #[arg(long, env = "HEADWATER_FUNCTION_CONCURRENCY", value_name = "COUNT", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub function_concurrency: u32,

    /// File with the seconds that the server's clock is ahead of the machine's, for tests that let hours pass: write a
    /// larger number, and they have passed a tenth of a second later; on loopback only
    #[arg(long, env = "HEADWATER_CLOCK_OFFSET_FILE", value_name = "FILE")]
    pub clock_offset_file: Option<PathBuf>,

    /// Address of an OpenTelemetry collector, such as http://127.0.0.1:4318, that gets a span of each request and each
    /// minute the metrics, as OTLP in JSON over HTTP
    #[arg(long, env = "HEADWATER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// With `--otlp-endpoint`: the share of requests that get a span, where their caller does not say whether they are
    /// to have one (`traceparent` or `X-Amzn-Trace-Id`)
    #[arg(long, env = "HEADWATER_OTLP_RATIO", value_name = "0 TO 1", default_value_t = 1.0, value_parser = ratio)]
    pub otlp_ratio: f64,

    /// Filter of the log on standard error: `info`, `debug`, or by module as `warn,headwater_wire=debug`
    #[arg(
        long,
        env = "HEADWATER_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: String,

    /// How a line of the log looks
    #[arg(
        long,
        env = "HEADWATER_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// File with settings, TOML: its keys are the flags' names
    #[arg(long, env = "HEADWATER_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// When an acknowledgement is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Durability {
    /// When the disk has it.
    Fsync,
    /// When the operating system has it.
    Os,
}

/// The limits that hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Limits {
    /// AWS's, as documented.
    Aws,
    /// None but those that keep the server alive.
    Off,
}

/// The callers that are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Those who have a key.
    Signed,
    /// All on this machine.
    Any,
    /// All who reach the address.
    None,
}

/// Where objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Objects {
    /// In the data folder.
    Directory,
    /// In an S3-compatible store.
    S3,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// A text that is shown nowhere.
#[derive(Clone)]
pub struct Secret(pub String);

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

pub(crate) fn account(text: &str) -> Result<String, String> {
    let valid = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if valid {
        Ok(text.to_owned())
    } else {
        Err("an account number has twelve digits".to_owned())
    }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok();
    let ratio = ratio.filter(|ratio| (0.0..=1.0).contains(ratio));
    ratio.ok_or_else(|| "a share is a number from 0 to 1".to_owned())
}

impl Settings {
    /// Refuses combinations that would do something other than they say.
    pub fn check(&self) -> Result<(), String> {
        self.check_auth()?;
        self.check_clock()?;
        match (self.tls_listen, &self.tls_cert, &self.tls_key) {
            (_, Some(_), None) | (_, None, Some(_)) => {
                return Err("--tls-cert and --tls-key go together".to_owned());
            }
            (None, Some(_), _) => return Err("--tls-cert needs --tls-listen".to_owned()),
            _ => {}
        }
        match (self.objects, &self.objects_endpoint_url) {
            (Objects::Directory, Some(_)) => {
                Err("--objects-endpoint-url needs --objects s3".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The callers that are let in, by the setting or by whether there are keys.
    pub fn auth(&self) -> Auth {
        self.auth.unwrap_or(if self.has_keys() {
            Auth::Signed
        } else {
            Auth::Any
        })
    }

    fn has_keys(&self) -> bool {
        self.access_key_id.is_some()
            || self.secret_access_key.is_some()
            || self.credentials.is_some()
    }

    /// The first address that other machines reach.
    fn outside(&self) -> Option<SocketAddr> {
        let mut addresses = [Some(self.listen), self.tls_listen].into_iter().flatten();
        addresses.find(|address| !address.ip().is_loopback())
    }

    fn check_clock(&self) -> Result<(), String> {
        match (&self.clock_offset_file, self.outside()) {
            (Some(_), Some(address)) => Err(format!(
                "--clock-offset-file moves the server's time, for tests on this machine, and {address} can be reached \
                 from others: listen on 127.0.0.1, or leave it out"
            )),
            _ => Ok(()),
        }
    }

    fn check_auth(&self) -> Result<(), String> {
        match (self.auth(), self.has_keys(), self.outside()) {
            _ if self.access_key_id.is_some() != self.secret_access_key.is_some() => {
                Err("--access-key-id and --secret-access-key go together".to_owned())
            }
            (Auth::Signed, false, _) => Err(
                "--auth signed needs keys to sign with: give --access-key-id and \
                                             --secret-access-key, or --credentials"
                    .to_owned(),
            ),
            (Auth::Any | Auth::None, true, _) => Err(
                "keys are given, and --auth says not to ask for them: leave \
                                                      out the one or the other"
                    .to_owned(),
            ),
            (Auth::Any, _, Some(address)) => Err(format!(
                "{address} can be reached from other machines, and no keys are given to check who calls: listen on \
                 127.0.0.1, give --access-key-id and --secret-access-key or --credentials, or say --auth none to let \
                 whoever reaches it do everything"
            )),
            _ => Ok(()),
        }
    }
}
