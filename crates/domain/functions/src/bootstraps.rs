//! Our bootstraps, which stand between the runtime API and a handler, and the version of a runtime that they make.

use std::{
    io::{self, IoSlice},
    path::Path,
};

use headwater_env::Disk;
use headwater_types::Region;
use sha2::{Digest, Sha256};

use crate::Runtime;

const FILES: [(&str, &str); 3] = [
    ("bootstrap.py", include_str!("runtime/bootstrap.py")),
    ("bootstrap.mjs", include_str!("runtime/bootstrap.mjs")),
    ("connection.mjs", include_str!("runtime/connection.mjs")),
];

/// The number of the bootstraps' version; AWS counts its own.
const VERSION: u32 = 1;

/// Writes the bootstraps into a new folder.
pub(crate) fn write(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    for (name, text) in FILES {
        let file = disk.create(&dir.join(name))?;
        file.write_all_at(&[IoSlice::new(text.as_bytes())], 0)?;
    }
    Ok(())
}

impl Runtime {
    /// The version of it that functions run on, as AWS writes it: `python:3.12.v1`, `nodejs:22.v1`.
    pub fn version(&self) -> String {
        let name = self.as_str();
        let name = name.strip_suffix(".x").unwrap_or(name);
        let families = ["python", "nodejs", "provided."];
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
