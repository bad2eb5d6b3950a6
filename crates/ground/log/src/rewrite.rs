//! Rewriting a sealed file without what is dead, sorted by shard.
//!
//! The new file is written under a temporary name, synced, and takes the next generation's name in one step; only then
//! the old one goes. A crash leaves one of the two whole.

use std::io::IoSlice;

use crate::{
    api::LogError,
    block_ref::BlockRef,
    core::Core,
    expired::{Expired, Judged},
    files::{FileError, FileId, LogFile, read_error},
    footer::FooterWriter,
    format::{FILE_HEADER, FRAME_HEADER, FileHeader, FrameHeader},
    index::Trailer,
    limits,
    read::read_blocks,
    segment::{self, Footer, Segment},
};

/// Rewrites `segment`; false when the log is being closed, and everything is as before.
pub fn rewrite(
    core: &Core,
    segment: &Segment,
    footer: &Footer,
    judged: &[Judged],
) -> Result<bool, LogError> {
    let dir = &core.options.dir;
    let id = FileId {
        generation: segment.id.generation + 1,
        ..segment.id
    };
    let temporary = format!("{}.tmp", id.name());
    let header = FileHeader {
        unsynced: false,
        generation: id.generation,
        salt: core.env.random.next_u64(),
        ..footer.header
    };
    let done = LogFile::create(&*core.env.disk, dir, &temporary, header)
        .map_err(|e| refusal(core, &e))
        .and_then(|file| copy(core, segment, footer, judged, Rewriter::new(file)));
    let trailer = match done {
        Ok(Some(trailer)) => trailer,
        unfinished => {
            // A file that stays behind is removed when the log is opened.
            let _ = core.env.disk.remove(&dir.join(&temporary));
            return unfinished.map(|_| false);
        }
    };
    let (from, to) = (dir.join(&temporary), dir.join(id.name()));
    let renamed = core
        .env
        .disk
        .rename(&from, &to)
        .and_then(|()| core.env.disk.sync_dir(dir));
    renamed.map_err(|e| read_error(&to, &e))?;
    let new = Segment {
        id,
        footer: Ok(Footer { header, trailer }),
        next_look: Default::default(),
    };
    core.segments.replace(segment.id, Some(new));
    let old = dir.join(segment.id.name());
    core.env
        .disk
        .remove(&old)
        .map_err(|e| read_error(&old, &e))?;
    tracing::debug!(file = %to.display(), kept = trailer.bytes, "rewritten: most of it was expired");
    Ok(true)
}

/// A failed rewrite harms nothing that is in use: it is only reported.
fn refusal(core: &Core, error: &FileError) -> LogError {
    if error.is_full() {
        return LogError::DiskFull {
            dir: core.options.dir.clone(),
        };
    }
    read_error(&error.path, &error.error)
}

/// Copies what is alive; nothing when the log is being closed.
fn copy(
    core: &Core,
    segment: &Segment,
    footer: &Footer,
    judged: &[Judged],
    mut new: Rewriter,
) -> Result<Option<Trailer>, LogError> {
    let old = core.segments.file(segment)?;
    for (entry, expired) in judged {
        if core.queue.lock().closing {
            return Ok(None);
        }
        let Expired::Before(time) = *expired else {
            continue;
        };
        let mut kept = Vec::new();
        let restarts = if entry.blocks > 0 {
            segment::read_restarts(&old, entry)?
        } else {
            Vec::new()
        };
        for i in 0..restarts.len() {
            let blocks = segment::read_chunk(&old, entry, &restarts, i)?;
            let live = &blocks[blocks.partition_point(|b| b.time < time)..];
            let mut failed = None;
            read_blocks(&old, entry.shard, live, |header, bytes| {
                match new.add(&bytes) {
                    Ok(at) => kept.push(BlockRef::new(&header, at)),
                    Err(e) => failed = Some(e),
                }
                Ok(failed.is_none())
            })?;
            if let Some(e) = failed {
                return Err(refusal(core, &e));
            }
        }
        new.footer.add(
            entry.shard,
            entry.start..entry.end,
            entry.last_time,
            entry.sealed,
            &kept,
        );
    }
    new.finish(footer.trailer.last_commit)
        .map(Some)
        .map_err(|e| refusal(core, &e))
}

/// A file that is being written, block by block.
struct Rewriter {
    file: LogFile,
    footer: FooterWriter,
    /// Where the next frame goes, and its number.
    at: u64,
    commit: u64,
    /// The blocks of the next frame.
    frame: Vec<u8>,
    blocks: u32,
}

impl Rewriter {
    fn new(file: LogFile) -> Self {
        let commit = file.header.first_commit;
        let footer = FooterWriter::default();
        Self {
            file,
            footer,
            at: FILE_HEADER as u64,
            commit,
            frame: Vec::new(),
            blocks: 0,
        }
    }

    /// Adds a block; where it will be.
    fn add(&mut self, block: &[u8]) -> Result<u64, FileError> {
        if self.frame.len() + block.len() > limits::REWRITE_FRAME_BYTES {
            self.write_frame()?;
        }
        let at = self.at + (FRAME_HEADER + self.frame.len()) as u64;
        self.frame.extend_from_slice(block);
        self.blocks += 1;
        Ok(at)
    }

    fn write_frame(&mut self) -> Result<(), FileError> {
        if self.blocks == 0 {
            return Ok(());
        }
        let (blocks, salt, commit) = (self.blocks, self.file.header.salt, self.commit);
        let header = FrameHeader {
            blocks,
            salt,
            commit,
            length: self.frame.len() as u64,
        }
        .encode();
        self.file
            .write(&[IoSlice::new(&header), IoSlice::new(&self.frame)], self.at)?;
        self.at += (FRAME_HEADER + self.frame.len()) as u64;
        self.commit += 1;
        self.frame.clear();
        self.blocks = 0;
        Ok(())
    }

    /// Writes the footer. The file stands for the same commits as before, however many frames it has.
    fn finish(mut self, last_commit: u64) -> Result<Trailer, FileError> {
        self.write_frame()?;
        let (bytes, trailer) = self
            .footer
            .finish(self.file.header.salt, self.at, last_commit);
        self.file.write(&[IoSlice::new(&bytes)], self.at)?;
        self.file.sync()?;
        Ok(trailer)
    }
}
