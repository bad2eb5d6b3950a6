//! The settings of `headwater serve`. Each is a flag, an environment variable `HEADWATER_*` and a key of the file.

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, ValueEnum};

/// How the server is to run. The flag wins over the variable, the variable over the file, the file over the default.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen on, for every service
    #[arg(long, env = "HEADWATER_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:4566")]
    pub listen: SocketAddr,

    /// Folder that holds everything the server keeps
    #[arg(long, env = "HEADWATER_DATA_DIR", value_name = "FOLDER", default_value = "./headwater-data")]
    pub data_dir: PathBuf,

    /// Region that names and ARNs carry
    #[arg(long, env = "HEADWATER_REGION", value_name = "NAME", default_value = "us-east-1")]
    pub region: String,

    /// Account number that ARNs carry, twelve digits
    #[arg(long, env = "HEADWATER_ACCOUNT", value_name = "NUMBER", default_value = "000000000000", value_parser = account)]
    pub account: String,

    /// Whether an acknowledgement waits for the disk (fsync) or only for the operating system (os), which loses the
    /// last moments when the machine, not only the server, stops
    #[arg(long, env = "HEADWATER_DURABILITY", value_name = "WHEN", default_value = "fsync")]
    pub durability: Durability,

    /// Whether shards and account have AWS's limits, or none
    #[arg(long, env = "HEADWATER_LIMITS", value_name = "WHOSE", default_value = "aws")]
    pub limits: Limits,

    /// Who may call: `any` takes any credentials and listens on loopback only; `none` says outright that whoever
    /// reaches the address may do everything
    #[arg(long, env = "HEADWATER_AUTH", value_name = "HOW", default_value = "any")]
    pub auth: Auth,

    /// Where objects are kept: in the data folder, or in an S3-compatible store
    #[arg(long, env = "HEADWATER_OBJECTS", value_name = "WHERE", default_value = "directory")]
    pub objects: Objects,

    /// With `--objects s3`: the store's address; its credentials come from the usual AWS variables and profiles
    #[arg(long, env = "HEADWATER_OBJECTS_ENDPOINT_URL", value_name = "URL")]
    pub objects_endpoint_url: Option<String>,

    /// Memory for the newest records, in MiB
    #[arg(long, env = "HEADWATER_TAIL_CACHE_MIB", value_name = "MIB", default_value_t = 32)]
    pub tail_cache_mib: usize,

    /// Size at which a file of the log is sealed, in MiB
    #[arg(long, env = "HEADWATER_SEGMENT_MIB", value_name = "MIB", default_value_t = 64,
          value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub segment_mib: u64,

    /// Invocations of functions that run at one time
    #[arg(long, env = "HEADWATER_FUNCTION_CONCURRENCY", value_name = "COUNT", default_value_t = 10,
          value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub function_concurrency: u32,

    /// What is logged, to standard error: `info`, `debug`, or by module as `warn,headwater_wire=debug`
    #[arg(long, env = "HEADWATER_LOG", value_name = "FILTER", default_value = "info")]
    pub log: String,

    /// How a line of the log looks
    #[arg(long, env = "HEADWATER_LOG_FORMAT", value_name = "FORMAT", default_value = "text")]
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

/// Whose limits hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Limits {
    /// AWS's, as documented.
    Aws,
    /// None but those that keep the server alive.
    Off,
}

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Auth {
    /// Whoever is on this machine.
    Any,
    /// Whoever reaches the address.
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

fn account(text: &str) -> Result<String, String> {
    let valid = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    if valid { Ok(text.to_owned()) } else { Err("an account number has twelve digits".to_owned()) }
}

impl Settings {
    /// Refuses combinations that would do something other than they say.
    pub fn check(&self) -> Result<(), String> {
        if self.auth == Auth::Any && !self.listen.ip().is_loopback() {
            return Err(format!(
                "{} can be reached from other machines, and this version checks no credentials: listen on \
                 127.0.0.1, or say --auth none to let whoever reaches it do everything",
                self.listen
            ));
        }
        match (self.objects, &self.objects_endpoint_url) {
            (Objects::Directory, Some(_)) => Err("--objects-endpoint-url needs --objects s3".to_owned()),
            _ => Ok(()),
        }
    }
}
