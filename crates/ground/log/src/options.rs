//! How the embedded engine keeps its log: the choices of its opener.

use std::{path::PathBuf, time::Duration};

use crate::limits;

/// How a log is kept.
#[derive(Debug, Clone)]
pub struct Options {
    /// The log's folder; made when it is not there.
    pub dir: PathBuf,
    /// A file that has this many bytes is followed by a new one.
    pub segment_bytes: u64,
    /// By how many bytes the newest file is extended ahead of what is written; 0 for not at all.
    pub preallocate_bytes: u64,
    /// Whether synced commits are written past the system's cache, where the file system can do that.
    pub direct: bool,
    /// Bytes of recent blocks that are kept in memory.
    pub tail_cache_bytes: usize,
    /// Whether every commit is synced. Without, what was acknowledged survives the process but not the machine.
    pub sync: bool,
    /// How often expired bytes are looked for; never, when it is none: then somebody calls
    /// [`EmbeddedLog::maintain`].
    pub maintain_every: Option<Duration>,
}

impl Options {
    /// The usual: files of 64 MiB, extended by 16 at a time, 32 MiB of tail, every commit synced.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            segment_bytes: 64 << 20,
            preallocate_bytes: 16 << 20,
            direct: true,
            tail_cache_bytes: 32 << 20,
            sync: true,
            maintain_every: Some(limits::MAINTAIN_EVERY),
        }
    }
}
