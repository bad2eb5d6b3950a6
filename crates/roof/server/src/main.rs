//! The binary headwater: command line, configuration, wiring, health, shutdown.
//!
//! The only crate that names all others, and the only one that reads the process's environment. The work of a command
//! is elsewhere: serving in [`serve`], what runs outside the server in `headwater-tools`.

mod access;
mod adapters;
mod cli;
mod clock;
mod console;
mod demo;
mod emitted;
mod ground;
mod health;
mod log_command;
mod logging;
mod metrics;
mod otlp;
mod places;
mod serve;
mod services;
mod settings;
mod tls;
mod trust;

use std::process::ExitCode;

use cli::{Cli, Command, TrailCommand};
use headwater_env::Env;

/// Requests allocate in one thread and free in another, many times each: docs/adr/0013 has the figures.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a command did not do its work: words for the one who called it.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let arguments = match cli::parse(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    // Replies and tasks are small: two threads are plenty where the machine has only so many cores.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the machine has threads to give");
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("headwater: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(Cli { command }: Cli) -> Result<ExitCode, Failure> {
    let env = Env::real();
    match command {
        Command::Serve(settings) => serve::run(env, settings).await,
        Command::Demo(arguments) => demo::run(env, arguments).await,
        Command::Replay(arguments) => {
            let summary = headwater_tools::replay::run(arguments, env, variable).await?;
            Ok(if summary.complete() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Bench(command) => {
            let good = headwater_tools::bench::run(command, env, variable).await?;
            Ok(if good {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Trips(arguments) => {
            headwater_tools::trips::run(arguments, env).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Log(command) => log_command::run(&env, command),
        Command::Trail(TrailCommand::Policy(arguments)) => {
            let grants = headwater_tools::policy::run(arguments, env, variable).await?;
            eprintln!(
                "{} calls that succeeded are allowed; {} that did not are not. Calls of data operations, such as putting \
                 records or getting objects, are not in the trail: add what they need.",
                grants.allowed, grants.failed
            );
            println!("{grants}");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// A variable of the process's environment.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
