//! Processes that outlived their server: noted in files while they run, ended at the next start.
//!
//! A process of ours ends by itself when its runtime API is gone. One that is deep in its handler does not notice,
//! so each is noted with what tells it apart from a later process of the same number. Linux only: without `/proc`
//! nothing is noted and nothing is ended.

use std::{
    io::IoSlice,
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_env::Disk;
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{Error, packages::read_all};

/// The folder of notes: a file a process, named by its number.
pub(crate) struct Leftovers {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

impl Leftovers {
    /// Opens the folder and ends what is noted there and still runs.
    pub fn open(disk: Arc<dyn Disk>, dir: PathBuf) -> Result<Self, Error> {
        disk.create_dir_all(&dir)
            .map_err(Error::disk("making the folder of processes"))?;
        let leftovers = Self { disk, dir };
        for entry in leftovers
            .disk
            .list(&leftovers.dir)
            .map_err(Error::disk("listing the processes"))?
        {
            if let Some(pid) = entry.name.parse().ok().and_then(Pid::from_raw) {
                leftovers.end(pid);
            }
        }
        Ok(leftovers)
    }

    fn end(&self, pid: Pid) {
        let noted = read_text(&*self.disk, &self.file(pid));
        if noted.is_some() && noted == self.identity(pid) {
            tracing::info!(
                pid = pid.as_raw_nonzero(),
                "ending a function's process that a former server left"
            );
            kill_group(pid);
        }
        self.forget(pid);
    }

    /// Notes a process that was started.
    pub fn note(&self, pid: Pid) {
        let Some(identity) = self.identity(pid) else {
            return;
        };
        let path = self.file(pid);
        let made = self.disk.create(&path).or_else(|_| self.disk.open(&path));
        let noted = made.and_then(|file| {
            file.set_len(0)?;
            file.write_all_at(&[IoSlice::new(identity.as_bytes())], 0)
        });
        if let Err(error) = noted {
            tracing::warn!(%error, "a function's process could not be noted: it may outlive the server");
        }
    }

    /// Forgets a process that has ended.
    pub fn forget(&self, pid: Pid) {
        // It was perhaps never noted.
        drop(self.disk.remove(&self.file(pid)));
    }

    fn file(&self, pid: Pid) -> PathBuf {
        self.dir.join(pid.as_raw_nonzero().to_string())
    }

    /// The boot and the time within it at which the process started.
    fn identity(&self, pid: Pid) -> Option<String> {
        let boot = read_text(&*self.disk, Path::new("/proc/sys/kernel/random/boot_id"))?;
        let stat = read_text(
            &*self.disk,
            Path::new(&format!("/proc/{}/stat", pid.as_raw_nonzero())),
        )?;
        // The name in parentheses may hold anything; the start is the 20th field after it (proc_pid_stat(5)).
        let started = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?;
        Some(format!("{} {started}", boot.trim()))
    }
}

/// Kills a process and all that it started in its group.
pub(crate) fn kill_group(pid: Pid) {
    // A process that has ended already needs no killing.
    let _ = kill_process_group(pid, Signal::KILL);
}

/// The memory in MB that a process uses by itself (not shared with files), where the system tells.
pub(crate) fn memory_mb(disk: &dyn Disk, pid: Pid) -> Option<u32> {
    let status = read_text(
        disk,
        Path::new(&format!("/proc/{}/status", pid.as_raw_nonzero())),
    )?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))?;
    let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
    u32::try_from(kb / 1024).ok()
}

fn read_text(disk: &dyn Disk, path: &Path) -> Option<String> {
    let bytes = disk
        .open_read(path)
        .and_then(|file| read_all(&*file))
        .ok()?;
    String::from_utf8(bytes).ok()
}
