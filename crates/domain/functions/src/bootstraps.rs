//! Our bootstraps, which stand between the runtime API and a handler, and the version of a runtime that they make.

use std::{
    io::{self, IoSlice},
    path::Path,
    process::Stdio,
};

use headwater_env::Disk;
use headwater_types::Region;
use sha2::{Digest, Sha256};
use tokio::process::Command;

use crate::{Error, Runtime, launch};

macro_rules! java {
    ($file:literal) => {
        (
            concat!("java-sources/", $file),
            include_str!(concat!("runtime/java/", $file)),
        )
    };
}

const FILES: &[(&str, &str)] = &[
    ("bootstrap.py", include_str!("runtime/bootstrap.py")),
    ("bootstrap.mjs", include_str!("runtime/bootstrap.mjs")),
    ("connection.mjs", include_str!("runtime/connection.mjs")),
    ("streaming.mjs", include_str!("runtime/streaming.mjs")),
    ("bootstrap.rb", include_str!("runtime/bootstrap.rb")),
    // Java's sources, and the interfaces of AWS's that packages may take for given.
    java!("headwater/Bootstrap.java"),
    java!("headwater/Handler.java"),
    java!("headwater/Invocation.java"),
    java!("headwater/Json.java"),
    java!("aws/Client.java"),
    java!("aws/ClientContext.java"),
    java!("aws/CognitoIdentity.java"),
    java!("aws/Context.java"),
    java!("aws/LambdaLogger.java"),
    java!("aws/RequestHandler.java"),
    java!("aws/RequestStreamHandler.java"),
];

/// The folder of Java's sources, beside that of the classes which are made of them.
const JAVA_SOURCES: &str = "java-sources";
/// The folder of Java's classes.
const JAVA_CLASSES: &str = "java";

/// The number of the bootstraps' version; AWS counts its own.
const VERSION: u32 = 1;

/// Writes the bootstraps into a new folder.
pub(crate) fn write(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for (name, text) in FILES {
        let path = dir.join(name);
        path.parent()
            .map_or(Ok(()), |parent| disk.create_dir_all(parent))?;
        let file = disk.create(&path)?;
        file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)?;
    }
    Ok(())
}

/// Compiles Java's bootstrap in the folder of bootstraps, with what `path` leads to.
pub(crate) async fn compile_java(dir: &Path, path: &str) -> Result<(), Error> {
    let compiler = launch::find("javac", path).ok_or_else(|| {
        let Error::Runtime { error, .. } = launch::lacking("javac") else {
            unreachable!("what is lacking is a runtime")
        };
        let program =
            "javac of a JDK, version 17 or newer, by which Java functions are run,".to_owned();
        Error::Runtime { program, error }
    })?;
    let mut command = Command::new(compiler);
    command.args(["-nowarn", "-d"]).arg(dir.join(JAVA_CLASSES));
    let sources = FILES
        .iter()
        .filter(|(name, _)| name.starts_with(JAVA_SOURCES));
    command.args(sources.map(|(name, _)| dir.join(name)));
    command.env_clear().env("PATH", path).stdin(Stdio::null());
    let done = command.output().await;
    let done = done.map_err(Error::disk("compiling the bootstrap for Java"))?;
    match done.status.success() {
        true => Ok(()),
        false => Err(Error::Runtime {
            program: "javac".to_owned(),
            error: String::from_utf8_lossy(&done.stderr).trim().into(),
        }),
    }
}

impl Runtime {
    /// The version of it that functions run on, as AWS writes it: `python:3.12.v1`, `nodejs:22.v1`.
    pub fn version(&self) -> String {
        let name = self.as_str();
        let name = name.strip_suffix(".x").unwrap_or(name);
        let families = ["python", "nodejs", "ruby", "java", "provided."];
        let split = families.iter().find_map(|family| {
            let number = name.strip_prefix(family)?;
            Some((family.trim_end_matches('.'), number))
        });
        let (family, number) = split.unwrap_or((name, ""));
        format!("{family}:{number}.v{VERSION}")
    }

    /// The ARN of that version. AWS's ends with a hash too; this one is of the bootstraps.
    pub fn version_arn(&self, region: &Region) -> String {
        let mut hash = Sha256::new();
        hash.update(self.as_str());
        for (_, text) in FILES {
            hash.update(text);
        }
        let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        format!("arn:aws:lambda:{}::runtime:{hash}", region.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_named_as_in_awss_logs() {
        for (runtime, version) in [
            ("python3.12", "python:3.12.v1"),
            ("nodejs22.x", "nodejs:22.v1"),
            ("java21", "java:21.v1"),
            ("ruby3.4", "ruby:3.4.v1"),
            ("provided.al2023", "provided:al2023.v1"),
        ] {
            let runtime: Runtime = runtime.parse().unwrap();
            assert_eq!(runtime.version(), version);
            let arn = runtime.version_arn(&Region("eu-west-1".into()));
            let id = arn.strip_prefix("arn:aws:lambda:eu-west-1::runtime:");
            assert_eq!(id.map(str::len), Some(64), "{arn}");
        }
    }
}
