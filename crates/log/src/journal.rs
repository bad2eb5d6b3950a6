//! The newest file: frames are written to its end and synced, and a full file is followed by a new one.

use std::{io::IoSlice, path::Path, sync::Arc};

use headwater_env::Env;

use crate::{
    files::{FileError, FileId, LogFile},
    format::{FILE_HEADER, FRAME_HEADER, FileHeader, FrameHeader},
};

/// The file that takes the appends.
pub struct Journal {
    /// It.
    pub file: Arc<LogFile>,
    /// Where the next frame goes: the end of the last commit.
    pub len: u64,
    /// The next frame's number.
    pub next_commit: u64,
}

impl Journal {
    /// Begins a new file after `sequence`, whose first commit is `first_commit`.
    pub fn begin(
        env: &Env,
        dir: &Path,
        sequence: u64,
        first_commit: u64,
        synced: bool,
    ) -> Result<Self, FileError> {
        let id = FileId { sequence, generation: 0 };
        let salt = env.random.next_u64();
        let header = FileHeader { unsynced: !synced, generation: 0, salt, sequence, first_commit };
        let file = LogFile::create(&*env.disk, dir, &id.name(), header)?;
        Ok(Self { file: Arc::new(file), len: FILE_HEADER as u64, next_commit: first_commit })
    }

    /// Writes one frame of `parts`, which have `blocks` blocks, and syncs unless told not to. Returns where the parts
    /// begin. After an error that [`FileError::is_full`] the file is as it was before.
    pub fn commit(&mut self, parts: &[IoSlice<'_>], blocks: usize, sync: bool) -> Result<u64, FileError> {
        let length: u64 = parts.iter().map(|p| p.len() as u64).sum();
        let (salt, commit) = (self.file.header.salt, self.next_commit);
        let blocks = u32::try_from(blocks).expect("pending bytes are bounded, so blocks are");
        let header = FrameHeader { blocks, salt, commit, length }.encode();
        let mut frame = Vec::with_capacity(parts.len() + 1);
        frame.push(IoSlice::new(&header));
        frame.extend_from_slice(parts);
        if let Err(e) = self.file.write(&frame, self.len) {
            return Err(self.roll_back(e));
        }
        if sync {
            self.file.sync()?;
        }
        let at = self.len + FRAME_HEADER as u64;
        self.len = at + length;
        self.next_commit += 1;
        Ok(at)
    }

    /// Takes back a write for which there was no room. What cannot be taken back poisons.
    fn roll_back(&self, error: FileError) -> FileError {
        if error.is_full()
            && let Err(e) = self.file.cut(self.len)
        {
            return FileError { operation: "sync", ..e };
        }
        error
    }
}
