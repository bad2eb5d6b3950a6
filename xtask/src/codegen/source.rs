//! Where the models come from: botocore's `data` directory.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::read::GzDecoder;

use crate::codegen::{
    facts::Selection,
    model::{Metadata, Model},
};

/// The botocore version that the checked-in shapes are made from.
pub const PINNED: &str = "1.44.5";

/// A botocore installation.
pub struct Botocore {
    data: PathBuf,
    /// Its version.
    pub version: String,
}

impl Botocore {
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
        self.read(selection.name, selection.version)
    }

    /// The metadata of each service, of its newest version.
    pub fn all(&self) -> Result<BTreeMap<String, Metadata>, String> {
        #[derive(serde::Deserialize)]
        struct Whole {
            metadata: Metadata,
        }
        let mut all = BTreeMap::new();
        for name in names_in(&self.data)? {
            // A file, or a folder without versions, is not a service.
            let versions = names_in(&self.data.join(&name)).unwrap_or_default();
            if let Some(version) = versions.iter().max()
                && let Ok(Whole { metadata }) = self.read(&name, version)
            {
                all.insert(name, metadata);
            }
        }
        Ok(all)
    }

    fn read<T: serde::de::DeserializeOwned>(&self, name: &str, version: &str) -> Result<T, String> {
        let path = self.data.join(name).join(version).join("service-2.json.gz");
        let file =
            fs::File::open(&path).map_err(|e| format!("cannot open {}: {e}", path.display()))?;
        serde_json::from_reader(GzDecoder::new(file))
            .map_err(|e| format!("cannot read {}: {e}", path.display()))
    }
}

/// The names of what is in a folder.
fn names_in(folder: &Path) -> Result<Vec<String>, String> {
    let failed = |e| format!("cannot read {}: {e}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries
        .map(|entry| {
            Ok(entry
                .map_err(failed)?
                .file_name()
                .to_string_lossy()
                .into_owned())
        })
        .collect()
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
