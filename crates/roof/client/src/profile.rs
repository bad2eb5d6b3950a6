//! AWS's shared files: `~/.aws/config` and `~/.aws/credentials`, one profile of them.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
};

use headwater_env::{Disk, Env};

use crate::limits::CONFIG_FILE_BYTES;

/// The keys of one profile; those of the credentials file win.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) name: String,
    keys: BTreeMap<String, String>,
}

/// Why a profile could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file is there and cannot be read.
    #[error("cannot read {path}: {error}")]
    File {
        /// The file's path.
        path: String,
        /// The system's error.
        error: io::Error,
    },
    /// The profile that was asked for is in neither file.
    #[error(
        "the profile {0:?} (AWS_PROFILE) is neither in the shared config file nor in the credentials file"
    )]
    Unknown(String),
}

impl Profile {
    /// Reads the profile that `AWS_PROFILE` names, or `default`.
    pub(crate) async fn load(
        lookup: &(dyn Fn(&str) -> Option<String> + Send + Sync),
        env: &Env,
    ) -> Result<Self, ProfileError> {
        let home = lookup("HOME").map(PathBuf::from);
        let path = |variable: &str, file: &str| {
            lookup(variable)
                .map(PathBuf::from)
                .or_else(|| Some(home.as_ref()?.join(".aws").join(file)))
        };
        let config = path("AWS_CONFIG_FILE", "config");
        let credentials = path("AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let named = lookup("AWS_PROFILE").or_else(|| lookup("AWS_DEFAULT_PROFILE"));
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let disk = env.disk.clone();
        let (config, credentials) = env
            .blocking(move || {
                (
                    read(&*disk, config.as_deref()),
                    read(&*disk, credentials.as_deref()),
                )
            })
            .await;
        let mut found = section(&config?, &[&format!("profile {name}"), &name]);
        for (key, value) in section(&credentials?, &[&name]).into_iter().flatten() {
            found.get_or_insert_default().insert(key, value);
        }
        match (found, named) {
            (Some(keys), _) => Ok(Self { name, keys }),
            (None, None) => Ok(Self {
                name,
                keys: BTreeMap::new(),
            }),
            (None, Some(name)) => Err(ProfileError::Unknown(name)),
        }
    }

    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<String> {
        self.keys.get(key).cloned()
    }
}

/// A file's text; empty where there is none.
fn read(disk: &dyn Disk, path: Option<&Path>) -> Result<String, ProfileError> {
    let Some(path) = path else {
        return Ok(String::new());
    };
    let text = disk.open_read(path).and_then(|file| {
        let mut bytes = vec![0; file.len()?.min(CONFIG_FILE_BYTES) as usize];
        file.read_exact_at(&mut bytes, 0)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    });
    match text {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(ProfileError::File {
            path: path.display().to_string(),
            error,
        }),
        Ok(text) => Ok(text),
    }
}

/// The keys of the first section with one of `names`. Indented lines belong to the key above them: no such key is
/// read here, so they are passed over.
fn section(text: &str, names: &[&str]) -> Option<BTreeMap<String, String>> {
    let mut found: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut current = None;
    for line in text.lines() {
        let plain = line.trim();
        if plain.is_empty() || plain.starts_with(['#', ';']) || line.starts_with([' ', '\t']) {
            continue;
        }
        if let Some(title) = plain.strip_prefix('[') {
            let title = title.split(']').next().unwrap_or_default();
            let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
            current = names.iter().find(|name| **name == title).copied();
            if let Some(name) = current {
                found.entry(name).or_default();
            }
        } else if let (Some(name), Some((key, value))) = (current, plain.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            found
                .entry(name)
                .or_default()
                .insert(key.trim().to_lowercase(), value.to_owned());
        }
    }
    names.iter().find_map(|name| found.remove(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONFIG: &str = "\
# shared
[default]
region = eu-west-1   # Ireland
s3 =
  max_concurrent_requests = 20
[profile  work]
region=us-east-2
credential_process = /bin/issue --for \"me\"
[sso-session x]
region = nowhere
";

    #[test]
    fn a_section_is_found_by_either_spelling() {
        let default = section(CONFIG, &["profile default", "default"]).unwrap();
        assert_eq!(default["region"], "eu-west-1");
        assert!(!default.contains_key("max_concurrent_requests"));
        let work = section(CONFIG, &["profile work", "work"]).unwrap();
        assert_eq!(work["credential_process"], "/bin/issue --for \"me\"");
        assert_eq!(section(CONFIG, &["profile nobody"]), None);
    }

    async fn load(dir: &Path, profile: Option<&str>) -> Result<Profile, ProfileError> {
        let (dir, profile) = (dir.display().to_string(), profile.map(str::to_owned));
        let lookup = move |name: &str| match name {
            "HOME" => Some(dir.clone()),
            "AWS_PROFILE" => profile.clone(),
            _ => None,
        };
        Profile::load(&lookup, &Env::real()).await
    }

    #[tokio::test]
    async fn the_credentials_file_wins_and_a_missing_profile_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(load(dir.path(), None).await.unwrap().get("region"), None);
        let aws = dir.path().join(".aws");
        Env::real().disk.create_dir_all(&aws).unwrap();
        let write = |name: &str, text: &str| {
            let file = Env::real().disk.create(&aws.join(name)).unwrap();
            file.write_all_at(&[io::IoSlice::new(text.as_bytes())], 0)
                .unwrap();
        };
        write("config", CONFIG);
        write(
            "credentials",
            "[work]\naws_access_key_id = A\nregion = here\n",
        );
        let work = load(dir.path(), Some("work")).await.unwrap();
        assert_eq!(
            (
                work.get("region").as_deref(),
                work.get("aws_access_key_id").as_deref()
            ),
            (Some("here"), Some("A"))
        );
        assert!(matches!(
            load(dir.path(), Some("other")).await,
            Err(ProfileError::Unknown(_))
        ));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,300}") {
            let _ = section(&text, &["default"]);
        }
    }
}
