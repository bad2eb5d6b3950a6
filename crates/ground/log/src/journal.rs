//! The newest file: frames are written behind each other and synced, and a full file is followed by a new one.
//!
//! The file is extended ahead of the frames, so that a sync does not have to write down a new length and new places, and
//! they are written past the system's cache, where they would be copied and looked for again at each sync.

use std::{
    io::{self, IoSlice},
    sync::Arc,
};

use headwater_env::Env;

use crate::{
    direct::Direct,
    files::{FileError, FileId, LogFile},
    format::{FILE_HEADER, FRAME_HEADER, FileHeader, FrameHeader},
    limits,
    options::Options,
};

/// The file that takes the appends.
pub struct Journal {
    /// It.
    pub file: Arc<LogFile>,
    /// Where the next frame goes: the end of the last commit.
    pub len: u64,
    /// The next frame's number.
    pub next_commit: u64,
    /// Blocks written since the log was opened.
    blocks: u64,
    /// The file's length: what lies behind the last commit is zero, and has its place on the disk already.
    room: u64,
    /// How far the file is extended at one go, and to which length at most.
    step: u64,
    most: u64,
    /// How frames are written; through the system's cache, when it is none.
    direct: Option<Direct>,
}

impl Journal {
    /// Begins the file `sequence`, whose first commit is `first_commit`.
    pub fn begin(
        env: &Env,
        options: &Options,
        sequence: u64,
        first_commit: u64,
    ) -> Result<Self, FileError> {
        let id = FileId {
            sequence,
            generation: 0,
        };
        let salt = env.random.next_u64();
        let header = FileHeader {
            unsynced: !options.sync,
            generation: 0,
            salt,
            sequence,
            first_commit,
        };
        let file = LogFile::create(&*env.disk, &options.dir, &id.name(), header)?;
        Ok(Self::resume(
            env,
            options,
            Arc::new(file),
            FILE_HEADER as u64,
            first_commit,
        ))
    }

    /// Goes on at the end of a file of `len` bytes.
    pub fn resume(
        env: &Env,
        options: &Options,
        file: Arc<LogFile>,
        len: u64,
        next_commit: u64,
    ) -> Self {
        let (step, most) = (options.preallocate_bytes, options.segment_bytes);
        // Without syncs a write shall not wait for the disk either.
        let is_direct = options.direct && options.sync;
        let direct = is_direct
            .then(|| Direct::open(&*env.disk, &file, len))
            .flatten();
        Self {
            file,
            len,
            next_commit,
            blocks: 0,
            room: len,
            step,
            most,
            direct,
        }
    }

    /// Writes one frame of `parts`, which have `blocks` blocks, and syncs unless told not to. Returns where the parts
    /// begin. After an error that [`FileError::is_full`] the file is as it was before.
    pub fn commit(
        &mut self,
        parts: &[IoSlice<'_>],
        blocks: usize,
        sync: bool,
    ) -> Result<u64, FileError> {
        let length: u64 = parts.iter().map(|p| p.len() as u64).sum();
        let (salt, commit) = (self.file.header.salt, self.next_commit);
        let blocks = u32::try_from(blocks).expect("pending bytes are bounded, so blocks are");
        let header = FrameHeader {
            blocks,
            salt,
            commit,
            length,
        };
        let encoded = header.encode();
        let mut frame = Vec::with_capacity(parts.len() + 1);
        frame.push(IoSlice::new(&encoded));
        frame.extend_from_slice(parts);
        self.make_room(self.len + FRAME_HEADER as u64 + length);
        if let Err(e) = self.write(&frame) {
            return Err(self.roll_back(e));
        }
        if sync {
            self.file.sync()?;
        }
        let at = self.len + FRAME_HEADER as u64;
        self.len = at + length;
        self.next_commit += 1;
        self.blocks += u64::from(header.blocks);
        Ok(at)
    }

    fn write(&mut self, frame: &[IoSlice<'_>]) -> Result<(), FileError> {
        if let Some(direct) = &mut self.direct {
            match direct.write(frame, self.len, self.room) {
                // The file system opens files for such writes, and takes none.
                Err(e) if e.kind() == io::ErrorKind::InvalidInput => self.direct = None,
                done => return done.map_err(|e| FileError::new(&self.file.path, "write", e)),
            }
        }
        self.file.write(frame, self.len)
    }

    /// Whether another file shall follow.
    pub fn is_full(&self) -> bool {
        self.len >= self.most || self.blocks >= limits::FILE_BLOCKS
    }

    /// Marks a clean end, so that damage to the last frame cannot be taken for a torn write, and gives back the room
    /// that was not used.
    pub fn end(mut self) -> Result<(), FileError> {
        self.step = 0;
        self.commit(&[], 0, false)?;
        self.file.cut(self.len)
    }

    /// Extends the file when it ends before `end`. Without that the write itself extends it, only slower.
    fn make_room(&mut self, end: u64) {
        if self.step == 0 || end <= self.room {
            return;
        }
        let room = (self.room + self.step).min(self.most).max(end);
        match self.file.allocate(room) {
            Ok(()) => self.room = room,
            // A file system that cannot do it is not asked again; one that is full may have room later.
            Err(e) if e.is_full() => {}
            Err(_) => self.step = 0,
        }
    }

    /// Takes back a write for which there was no room. A write that cannot be taken back poisons.
    fn roll_back(&mut self, error: FileError) -> FileError {
        self.room = self.len;
        if error.is_full()
            && let Err(e) = self.file.cut(self.len)
        {
            return FileError {
                operation: "sync",
                ..e
            };
        }
        error
    }
}
