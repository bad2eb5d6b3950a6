//! Where a function sees its layers: under `/opt`, as on AWS, in a mount namespace of its process.
//!
//! Layers are unpacked once each, whoever has them, and laid over each other by the system, the last on top, for reading
//! only: the mount has no layer that could be written to, so nobody can make it writable either. The server itself and
//! functions without layers keep the machine's `/opt`. A machine that permits no such mounts shows layers where they are
//! unpacked, and the variables lead there; the function's log says so.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use headwater_env::Disk;
use tokio::process::Command;

use crate::unpack::CodeDir;

/// The folder of layers on AWS.
pub(crate) const OPT: &str = "/opt";

/// The way in which this machine lets a process have mounts of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Namespaces {
    /// The server may do it as it is.
    Own,
    /// In a user namespace, which the process leaves again for one in which it is who it was.
    OfUser { uid: u32, gid: u32 },
}

/// The layers of one process.
pub(crate) struct View {
    /// The layers' folders, the last on top; they live as long as this.
    layers: Vec<Arc<CodeDir>>,
    mounted: Option<Mounted>,
}

struct Mounted {
    namespaces: Namespaces,
    /// The folder that holds the layers' folders.
    dir: PathBuf,
    /// The folder under all layers.
    base: PathBuf,
}

/// Lays folders over each other at `/opt`; their names are relative, so that the path to them may hold anything.
const MOUNT: &str = r#"
here=$PWD
cd -- "$1" && mount -t overlay -o "ro,lowerdir=$2" overlay /opt && cd -- "$here" || {
    echo "The layers could not be mounted at /opt." >&2
    exit 126
}
shift 2
exec "$@""#;

impl Namespaces {
    /// Finds out which way there is, by trying it with two folders in `dir`.
    pub async fn probe(disk: &dyn Disk, dir: &Path, path: Option<&str>) -> Option<Self> {
        let dir = dir.join("opt");
        for name in ["over", "base"] {
            disk.create_dir_all(&dir.join(name)).ok()?;
        }
        let of_user = Self::OfUser {
            uid: rustix::process::getuid().as_raw(),
            gid: rustix::process::getgid().as_raw(),
        };
        for namespaces in [Self::Own, of_user] {
            let line = namespaces.tools(&dir, "over:base");
            let mut command = Command::new(&line[0]);
            command.args(&line[1..]).arg("true").env_clear();
            command.envs(path.map(|path| ("PATH", path)));
            // The server's own folder may be in /opt, which the layers hide.
            command.current_dir("/");
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            if command.status().await.is_ok_and(|status| status.success()) {
                return Some(namespaces);
            }
        }
        tracing::warn!(
            "this machine lets no process mount folders: functions see their layers where they are unpacked, and not \
             at /opt. It takes unshare and mount of util-linux, and user namespaces or a server that runs as root"
        );
        None
    }

    /// The command line that comes before a program which is to see the folders `lower` of `dir` at `/opt`.
    fn tools(self, dir: &Path, lower: &str) -> Vec<String> {
        let mut line: Vec<String> = vec!["unshare".into(), "--mount".into()];
        if matches!(self, Self::OfUser { .. }) {
            line.extend(["--user", "--map-root-user"].map(str::to_owned));
        }
        line.extend(["--", "sh", "-c", MOUNT, "sh"].map(str::to_owned));
        line.extend([dir.display().to_string(), lower.to_owned()]);
        if let Self::OfUser { uid, gid } = self {
            let mapped = [format!("--map-user={uid}"), format!("--map-group={gid}")];
            line.extend(["unshare", "--user"].map(str::to_owned));
            line.extend(mapped);
            line.push("--".into());
        }
        line
    }
}

impl View {
    /// The view of a function without layers: the machine's own.
    pub fn none() -> Self {
        Self {
            layers: Vec::new(),
            mounted: None,
        }
    }

    /// The view of layers that are unpacked in `code`; what is under them is empty, unless one of the `programs` that
    /// the process needs is in the machine's own `/opt`.
    pub fn new(
        layers: Vec<Arc<CodeDir>>,
        namespaces: Option<Namespaces>,
        code: &Path,
        programs: &[PathBuf],
    ) -> Self {
        let in_opt = |program: &PathBuf| {
            let real = fs::canonicalize(program);
            program.starts_with(OPT) || real.is_ok_and(|real| real.starts_with(OPT))
        };
        let base = match programs.iter().any(in_opt) {
            true => PathBuf::from(OPT),
            false => code.with_file_name("opt").join("base"),
        };
        // Layers at /opt would hide the function's own code there.
        let is_hidden = in_opt(&code.to_owned());
        let mounted = namespaces.filter(|_| !is_hidden).map(|namespaces| Mounted {
            namespaces,
            dir: code.to_owned(),
            base,
        });
        Self { layers, mounted }
    }

    /// Whether layers are seen at `/opt`.
    pub fn is_mounted(&self) -> bool {
        self.mounted.is_some() && !self.layers.is_empty()
    }

    /// The command line that comes before a shell in which the layers are seen; none where there is nothing to show.
    pub fn tools(&self) -> Vec<String> {
        let Some(mounted) = self.mounted.as_ref().filter(|_| self.is_mounted()) else {
            return Vec::new();
        };
        let names = self
            .layers
            .iter()
            .rev()
            .filter_map(|layer| layer.path.file_name());
        let mut lower: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        // The folder under all is in the one beside theirs, or the machine's.
        lower.push(match mounted.base == Path::new(OPT) {
            true => OPT.to_owned(),
            false => "../opt/base".to_owned(),
        });
        mounted.namespaces.tools(&mounted.dir, &lower.join(":"))
    }

    /// The folders in which layers are seen, what goes first first; none where there are no layers.
    pub fn folders(&self) -> Vec<String> {
        if self.is_mounted() {
            return vec![OPT.to_owned()];
        }
        let unpacked = self.layers.iter().rev();
        unpacked
            .map(|layer| layer.path.display().to_string())
            .collect()
    }

    /// A file of a layer: where it is, and where the function sees it.
    pub fn find(&self, inner: &str) -> Option<(PathBuf, String)> {
        let mut files = self.layers.iter().rev().map(|layer| layer.path.join(inner));
        let file = files.find(|file| file.exists())?;
        let seen = match self.is_mounted() {
            true => format!("{OPT}/{inner}"),
            false => file.display().to_string(),
        };
        Some((file, seen))
    }

    /// The lines for the function's log about what differs from AWS.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.layers.is_empty() && !self.is_mounted() {
            notes.push(format!(
                "This machine lets no process mount folders: the layers are not at /opt, but in {}.",
                self.folders().join(" and ")
            ));
        }
        if self.find("extensions").is_some() {
            notes.push("The layers bring extensions, which Headwater does not start.".to_owned());
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use headwater_env::SimDisk;

    use super::*;

    fn view(code: &str) -> View {
        let code = Path::new(code);
        let empty = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let empty = empty.finish().unwrap().into_inner();
        let layer = CodeDir::unpack(Arc::new(SimDisk::new(1)), &empty, code.join("layer"));
        View::new(
            vec![Arc::new(layer.unwrap())],
            Some(Namespaces::Own),
            code,
            &[],
        )
    }

    #[test]
    fn layers_hide_no_code_that_is_in_opt_itself() {
        let view_there = view("/opt/headwater/functions/code");
        assert!(!view_there.is_mounted());
        assert_eq!(view_there.tools(), Vec::<String>::new());
        assert_eq!(
            view_there.folders(),
            ["/opt/headwater/functions/code/layer"]
        );
        let elsewhere = view("/optional/functions/code");
        assert!(elsewhere.is_mounted());
        assert_eq!(elsewhere.folders(), [OPT]);
    }
}
