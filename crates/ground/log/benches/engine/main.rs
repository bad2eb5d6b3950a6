//! The engine's rates on this machine, beside those that the machine allows in the same run.
//!
//! `cargo bench -p headwater-log --bench engine -- [--dir DIR] [PART ...]` with the parts `put`, `single`, `read`,
//! `open` and `memory`; all of them when none is named. The folder should be on the disk in question. Limits are measured
//! between the rounds, so that a machine that does other things as well slows both sides.

mod load;
mod machine;
mod memory;
mod open;
mod put;
mod read;

use std::path::PathBuf;

use headwater_env::Env;

/// Where a part works, and with what.
struct Bench {
    env: Env,
    dir: PathBuf,
}

fn main() {
    let (mut dir, mut parts) = (PathBuf::from("."), Vec::new());
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--dir" => dir = args.next().expect("a folder after --dir").into(),
            _ => parts.push(arg),
        }
    }
    let dir = tempfile::tempdir_in(dir).expect("a folder to write to");
    let bench = Bench {
        env: Env::real(),
        dir: dir.path().to_owned(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let is_asked = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    runtime.block_on(async {
        if is_asked("put") {
            put::batches(&bench).await;
        }
        if is_asked("single") {
            put::singles(&bench).await;
        }
        if is_asked("read") {
            read::run(&bench).await;
        }
        if is_asked("open") {
            open::run(&bench).await;
        }
        if is_asked("memory") {
            memory::run(&bench).await;
        }
    });
}
