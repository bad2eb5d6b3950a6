//! Chores: `cargo xtask codegen [--check] [--models DIR]`.

#![expect(
    clippy::disallowed_methods,
    reason = "a chore runs beside the server, not in its world"
)]

mod codegen;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask codegen [--check] [--models DIR]

codegen   writes crates/doors/shapes-<service> out of botocore's service models
  --check       writes nothing; fails when a file differs from what would be written
  --models DIR  botocore's `data` directory; without it the botocore package of ./.venv or of python3 is used";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.split_first() {
        Some((chore, options)) if chore == "codegen" => codegen::run(options),
        _ => Err(USAGE.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
