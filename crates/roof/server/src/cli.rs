//! The command line: its commands, and how a settings file takes part in it.

use std::{ffi::OsString, path::Path};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, error::ErrorKind};

use headwater_tools::{
    bench::BenchCommand, policy::PolicyArgs, replay::ReplayArgs, trips::TripsArgs,
};

use crate::{demo::DemoArguments, log_command::LogCommand, settings::Settings};

/// Kinesis Data Streams, Data Firehose, and the functions, buckets and logs around them, as one program
#[derive(Debug, Parser)]
#[command(name = "headwater", version, max_term_width = 100)]
pub struct Cli {
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the server
    Serve(Settings),
    /// Run the taxi pipeline from replay to bucket, and count what arrived
    Demo(DemoArguments),
    /// Send historic events from files or S3 into a stream, at the pace at which they happened
    Replay(ReplayArgs),
    /// Measure a Kinesis endpoint (put, get, latency, mixed, fanout), or what the machine allows (limits)
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Make up taxi trips, as files for a replay
    Trips(TripsArgs),
    /// Look into a data folder's log, while no server runs on it
    #[command(subcommand)]
    Log(LogCommand),
    /// Make something of the calls that CloudTrail has, here or on AWS
    #[command(subcommand)]
    Trail(TrailCommand),
}

/// The work to do on events of calls.
#[derive(Debug, Clone, Subcommand)]
pub enum TrailCommand {
    /// Print the least IAM policy that allows the calls that succeeded
    Policy(PolicyArgs),
}

/// Parses the command line. The settings file's values become the defaults that flags and variables override.
pub fn parse(arguments: Vec<OsString>) -> Result<Cli, clap::Error> {
    let mut command = Cli::command();
    if let Some(file) = settings_file(&arguments) {
        command = with_defaults(command, Path::new(&file))
            .map_err(|e| Cli::command().error(ErrorKind::Io, e))?;
    }
    Cli::from_arg_matches(&command.try_get_matches_from(arguments)?)
}

/// The file that `--config` or its variable names, read ahead of the real parse.
fn settings_file(arguments: &[OsString]) -> Option<OsString> {
    let matches = Cli::command()
        .ignore_errors(true)
        .try_get_matches_from(arguments)
        .ok()?;
    let serve = matches.subcommand_matches("serve")?;
    serve
        .get_one::<std::path::PathBuf>("config")
        .map(|path| path.clone().into_os_string())
}

fn with_defaults(command: clap::Command, file: &Path) -> Result<clap::Command, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file).map_err(|e| format!("reading {name} failed: {e}"))?;
    let values: toml::Table = text
        .parse()
        .map_err(|e| format!("{name} is not TOML: {e}"))?;
    let mut serve = command
        .find_subcommand("serve")
        .expect("serve is a command")
        .clone();
    for (key, value) in values {
        let known = serve
            .get_arguments()
            .any(|a| a.get_long() == Some(key.as_str()) && key != "config");
        if !known {
            return Err(format!(
                "{name} has the key {key:?}, which is no setting; `headwater serve --help` lists them"
            ));
        }
        let text = match value {
            toml::Value::String(text) => text,
            toml::Value::Integer(_) | toml::Value::Boolean(_) => value.to_string(),
            _ => return Err(format!("{name}: {key} takes a text or a number")),
        };
        serve = serve.mut_arg(key.replace('-', "_"), |argument| {
            argument.default_value(text)
        });
    }
    Ok(command.mut_subcommand("serve", |_| serve))
}

#[cfg(test)]
#[expect(
    clippy::disallowed_methods,
    reason = "tests write the files that the command line names"
)]
mod tests {
    use super::*;
    use crate::settings::{Durability, Limits};

    fn serve(arguments: &[&str]) -> Result<Settings, clap::Error> {
        let all = ["headwater", "serve"]
            .iter()
            .chain(arguments)
            .map(OsString::from)
            .collect();
        parse(all).map(|cli| match cli.command {
            Command::Serve(settings) => settings,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headwater.toml");
        std::fs::write(
            &path,
            "limits = \"off\"\ndurability = \"os\"\ntail-cache-mib = 7\n",
        )
        .unwrap();
        let settings =
            serve(&["--config", path.to_str().unwrap(), "--durability", "fsync"]).unwrap();
        assert_eq!(settings.limits, Limits::Off);
        assert_eq!(settings.durability, Durability::Fsync);
        assert_eq!((settings.tail_cache_mib, settings.segment_mib), (7, 64));
    }

    #[test]
    fn an_unknown_key_of_the_file_is_refused_by_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headwater.toml");
        std::fs::write(&path, "limit = \"off\"\n").unwrap();
        let error = serve(&["--config", path.to_str().unwrap()])
            .unwrap_err()
            .to_string();
        assert!(error.contains("\"limit\""), "{error}");
    }

    #[test]
    fn other_addresses_than_loopback_want_a_word_about_credentials() {
        assert!(
            serve(&["--listen", "0.0.0.0:4566"])
                .unwrap()
                .check()
                .is_err()
        );
        assert!(
            serve(&["--listen", "0.0.0.0:4566", "--auth", "none"])
                .unwrap()
                .check()
                .is_ok()
        );
        assert!(serve(&["--listen", "[::1]:4566"]).unwrap().check().is_ok());
        let key = ["--access-key-id", "A", "--secret-access-key", "hush"];
        let with = |more: &[&str]| serve(&[&key[..], more].concat()).unwrap();
        assert!(with(&["--listen", "0.0.0.0:4566"]).check().is_ok());
        assert!(
            with(&["--auth", "none"]).check().is_err(),
            "keys that are not asked for"
        );
        assert!(serve(&["--tls", "0.0.0.0:4567"]).unwrap().check().is_err());
        assert!(serve(&["--auth", "signed"]).unwrap().check().is_err());
        assert!(serve(&key[..2]).unwrap().check().is_err());
        assert!(
            serve(&["--tls", "--tls-cert", "c.pem"])
                .unwrap()
                .check()
                .is_err()
        );
        assert!(serve(&["--account", "12"]).is_err());
    }

    #[test]
    fn the_clock_is_moved_on_loopback_only() {
        let with = |more: &[&str]| serve(&[&["--clock-offset-file", "f"], more].concat()).unwrap();
        assert!(with(&[]).check().is_ok());
        assert!(with(&["--tls", "[::1]:4567"]).check().is_ok());
        let out = ["--listen", "0.0.0.0:4566", "--auth", "none"];
        let key = [
            "--tls",
            "0.0.0.0:4567",
            "--access-key-id",
            "A",
            "--secret-access-key",
            "hush",
        ];
        for more in [&out[..], &key[..]] {
            let why = with(more).check().unwrap_err();
            assert!(
                why.contains("--clock-offset-file") && why.contains("127.0.0.1"),
                "{why}"
            );
        }
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headwater.toml");
        std::fs::write(
            &path,
            "access-key-id = \"A\"\nsecret-access-key = \"hush\"\n",
        )
        .unwrap();
        let settings = serve(&["--config", path.to_str().unwrap()]).unwrap();
        assert_eq!(settings.secret_access_key.as_ref().unwrap().0, "hush");
        assert!(!format!("{settings:?}").contains("hush"));
        let help = serve(&["--config", path.to_str().unwrap(), "--help"])
            .unwrap_err()
            .to_string();
        assert!(
            help.contains("--secret-access-key") && !help.contains("hush"),
            "{help}"
        );
    }
}
