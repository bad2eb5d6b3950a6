//! `headwater log verify|dump`: a look into a data folder while no server runs on it.

use std::{
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use headwater_env::Env;
use headwater_log::{Filter, ShardNumber};

use crate::{Failure, serve};

/// The work to do on a log.
#[derive(Debug, Clone, Subcommand)]
pub enum LogCommand {
    /// Check every byte, and tell what is damaged with file and position; exits with 1 when something is
    Verify(LogFolder),
    /// Show files, commits and blocks line by line
    Dump {
        #[command(flatten)]
        place: LogFolder,
        /// Only the blocks of the log's shard with this number
        #[arg(long, value_name = "NUMBER")]
        shard: Option<u64>,
        /// Show the records too
        #[arg(long)]
        records: bool,
    },
}

/// The data folder whose log is meant.
#[derive(Debug, Clone, Args)]
pub struct LogFolder {
    /// The data folder of `headwater serve`
    #[arg(
        long,
        env = "HEADWATER_DATA_DIR",
        value_name = "FOLDER",
        default_value = "./headwater-data"
    )]
    data_dir: PathBuf,
}

/// Runs one of the commands.
pub fn run(env: &Env, command: LogCommand) -> Result<ExitCode, Failure> {
    match command {
        LogCommand::Verify(place) => verify(env, &place.data_dir),
        LogCommand::Dump {
            place,
            shard,
            records,
        } => {
            let filter = Filter {
                shard: shard.map(ShardNumber),
                records,
            };
            dump(env, &place.data_dir, filter)
        }
    }
}

fn verify(env: &Env, data_dir: &Path) -> Result<ExitCode, Failure> {
    let _lock = serve::lock(env, data_dir)?;
    let report = headwater_log::verify(env, &data_dir.join("log"))?;
    println!("{report}");
    Ok(if report.damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn dump(env: &Env, data_dir: &Path, filter: Filter) -> Result<ExitCode, Failure> {
    let _lock = serve::lock(env, data_dir)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut failed = None;
    headwater_log::dump(env, &data_dir.join("log"), filter, &mut |line| {
        failed = writeln!(out, "{line}").err();
        failed.is_none()
    })?;
    match failed.or(out.flush().err()) {
        // The reader of the pipe has seen enough, as `head` does.
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}
