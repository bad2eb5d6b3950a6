//! The server's log: structured lines on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::settings::{LogFormat, Settings};

/// Starts logging as the settings say.
///
/// # Errors
/// When the filter is not one.
pub fn start(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|e| {
        format!(
            "--log {:?} is not a filter such as `info` or `warn,headwater_log=debug`: {e}",
            settings.log
        )
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match settings.log_format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    // A demo that was started within a test finds a log that runs already; that is fine.
    drop(started);
    Ok(())
}
