//! How much the log takes and has done: counted as it happens where that costs nothing, else looked at when asked.

use std::{
    io::IoSlice,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::{
    api::{LogError, LogUsage, Taken},
    core::Core,
    files::{FileId, read_error},
    limits,
};

/// The work of the committer since the log was opened; it alone counts.
#[derive(Default)]
pub struct Done {
    commits: AtomicU64,
    answered: AtomicU64,
    bytes: AtomicU64,
    nanos: AtomicU64,
}

impl Done {
    /// A commit of these parts is durable, for which so many callers wait.
    pub fn wrote(&self, parts: &[IoSlice<'_>], callers: usize) {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        self.commits.fetch_add(1, Relaxed);
        self.answered.fetch_add(callers as u64, Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// A commit took so long, with its answers.
    pub fn took(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Relaxed);
    }
}

impl Core {
    /// How much the log takes and has done. Blocks: its folder is listed.
    pub fn usage(&self) -> Result<LogUsage, LogError> {
        let dir = &self.options.dir;
        let failed = |error| read_error(dir, &error);
        let listed = self.env.disk.list(dir).map_err(failed)?;
        let is_log = |name: &str| FileId::parse(name).is_some();
        let waiting = limits::PENDING_BYTES / limits::PENDING_UNIT - self.room.available_permits();
        Ok(LogUsage {
            shards: self.shards.read().len() as u64,
            files: listed.iter().filter(|entry| is_log(&entry.name)).count() as u64,
            disk_bytes: listed.iter().map(|entry| entry.len).sum(),
            free_bytes: self.env.disk.free_space(dir).map_err(failed)?,
            commits: self.done.commits.load(Relaxed),
            answered: self.done.answered.load(Relaxed),
            written_bytes: self.done.bytes.load(Relaxed),
            commit_time: Duration::from_nanos(self.done.nanos.load(Relaxed)),
            waiting: Taken {
                bytes: (waiting * limits::PENDING_UNIT) as u64,
                of: limits::PENDING_BYTES as u64,
            },
            tail: self.tail.taken(),
            index: self.segments.cached(),
        })
    }
}
