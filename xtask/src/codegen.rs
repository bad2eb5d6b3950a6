//! Writes the AWS services' shapes as Rust: names, types, constraints and errors of botocore's models, no prose.

mod closure;
mod emit;
mod facts;
mod model;
mod names;
mod source;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::codegen::{facts::SERVICES, source::Source};

/// Runs the chore with its command line options.
pub fn run(options: &[String]) -> Result<(), String> {
    let (mut check, mut models) = (false, None);
    let mut options = options.iter();
    while let Some(option) = options.next() {
        match option.as_str() {
            "--check" => check = true,
            "--models" => {
                models = Some(PathBuf::from(
                    options.next().ok_or("--models needs a directory")?,
                ))
            }
            other => {
                return Err(format!(
                    "codegen knows no option {other:?}\n{}",
                    crate::USAGE
                ));
            }
        }
    }
    let source = Source::find(models)?;
    let mut stale = Vec::new();
    for selection in SERVICES {
        let mut model = source.load(selection)?;
        facts::correct(&mut model);
        let text = rustfmt(&emit::service(selection, &model, &source.version)?)?;
        let path = root().join(format!("crates/doors/shapes/src/{}.rs", selection.name));
        if check {
            if fs::read_to_string(&path).ok().as_deref() != Some(&text) {
                stale.push(path.display().to_string());
            }
        } else {
            fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        }
    }
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "these files are not what `cargo xtask codegen` writes: {}",
            stale.join(", ")
        ))
    }
}

/// The repository's root.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `text` as rustfmt leaves it, under the repository's configuration.
fn rustfmt(text: &str) -> Result<String, String> {
    let failed = |what: &str, e: std::io::Error| {
        format!("cannot {what} rustfmt: {e}; `rustup component add rustfmt`")
    };
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| failed("start", e))?;
    let mut stdin = child.stdin.take().expect("it was asked for");
    let text = text.to_owned();
    // rustfmt reads all before it writes, so this cannot block on a full pipe.
    stdin
        .write_all(text.as_bytes())
        .map_err(|e| failed("feed", e))?;
    drop(stdin);
    let output = child
        .wait_with_output()
        .map_err(|e| failed("read from", e))?;
    if !output.status.success() {
        return Err("rustfmt did not accept the generated text".to_owned());
    }
    String::from_utf8(output.stdout).map_err(|e| e.to_string())
}
