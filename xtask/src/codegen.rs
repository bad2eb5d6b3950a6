//! Writes the AWS services' shapes as Rust: names, types, constraints and errors of botocore's models, no prose.

mod closure;
mod emit;
mod facts;
mod known;
mod model;
mod names;
mod source;

use std::{
    fs,
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use crate::codegen::{facts::SERVICES, source::Botocore};

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
    let botocore = Botocore::find(models)?;
    let mut files = Vec::new();
    for selection in SERVICES {
        let mut model = botocore.load(selection)?;
        facts::correct(selection.name, &mut model);
        let folder = format!("crates/doors/shapes-{}", selection.name);
        let text = rustfmt(&emit::service(selection, &model, &botocore.version)?)?;
        files.push((format!("{folder}/src/lib.rs"), text));
        files.push((
            format!("{folder}/Cargo.toml"),
            emit::manifest(selection, &model),
        ));
    }
    let others = rustfmt(&known::table(&botocore)?)?;
    files.push(("crates/doors/wire/src/known/services.rs".to_owned(), others));
    if check {
        compare(&files)
    } else {
        write(&files)
    }
}

/// Fails where a file is not what would be written.
fn compare(files: &[(String, String)]) -> Result<(), String> {
    let stale = files
        .iter()
        .filter(|(path, text)| fs::read_to_string(root().join(path)).ok().as_deref() != Some(text));
    let stale: Vec<&str> = stale.map(|(path, _)| path.as_str()).collect();
    if stale.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "these files are not what `cargo xtask codegen` writes: {}",
            stale.join(", ")
        ))
    }
}

fn write(files: &[(String, String)]) -> Result<(), String> {
    for (path, text) in files {
        let path = root().join(path);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    }
    Ok(())
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
