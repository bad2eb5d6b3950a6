//! The server's clock: the machine's, or one that tests move ahead of it.

use headwater_env::{AheadClock, Env};

use crate::{Failure, settings::Settings};

/// The machine with the clock that the settings ask for.
pub fn open(env: Env, settings: &Settings) -> Result<Env, Failure> {
    let Some(file) = &settings.clock_offset_file else {
        return Ok(env);
    };
    let clock =
        AheadClock::follow(&env, file).map_err(|why| format!("--clock-offset-file: {why}"))?;
    Ok(Env { clock, ..env })
}
