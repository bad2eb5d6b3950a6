//! Where the models come from: botocore's `data` directory.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::read::GzDecoder;

use crate::codegen::{facts::Selection, model::Model};

/// The botocore version that the checked-in shapes are made from.
pub const PINNED: &str = "1.44.5";

/// A botocore installation.
pub struct Source {
    data: PathBuf,
    /// Its version.
    pub version: String,
}

impl Source {
    /// The one named, else the one of the repository's virtual environment, else python3's.
    pub fn find(named: Option<PathBuf>) -> Result<Self, String> {
        let data = match named {
            Some(dir) => dir,
            None => ask_python()?,
        };
        let version = version_of(&data)?;
        if version != PINNED {
            return Err(format!(
                "{} holds botocore {version}; the shapes are made from {PINNED}: pip install botocore=={PINNED}",
                data.display()
            ));
        }
        Ok(Self { data, version })
    }

    /// Reads the model of one service.
    pub fn load(&self, selection: &Selection) -> Result<Model, String> {
        let path = self
            .data
            .join(selection.name)
            .join(selection.version)
            .join("service-2.json.gz");
        let file =
            fs::File::open(&path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
        serde_json::from_reader(GzDecoder::new(file))
            .map_err(|e| format!("cannot read {}: {e}", path.display()))
    }
}

/// The `data` directory of an installed botocore.
fn ask_python() -> Result<PathBuf, String> {
    let venv = super::root().join(".venv/bin/python3");
    for python in [venv.as_path(), Path::new("python3")] {
        let asked = Command::new(python)
            .args(["-c", "import botocore; print(botocore.__path__[0])"])
            .output();
        if let Ok(output) = asked
            && output.status.success()
        {
            return Ok(Path::new(String::from_utf8_lossy(&output.stdout).trim()).join("data"));
        }
    }
    Err(format!(
        "no botocore found: pip install botocore=={PINNED} into ./.venv, or name its data with --models DIR"
    ))
}

/// The version that stands in the package above `data`.
fn version_of(data: &Path) -> Result<String, String> {
    let init = data.join("../__init__.py");
    let text =
        fs::read_to_string(&init).map_err(|e| format!("cannot read {}: {e}", init.display()))?;
    text.lines()
        .find_map(|line| line.strip_prefix("__version__ = "))
        .map(|version| version.trim_matches(['\'', '"']).to_owned())
        .ok_or_else(|| format!("{} names no __version__", init.display()))
}
