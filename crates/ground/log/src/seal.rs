//! The sealing thread: it gives full files their footers, away from the committer.

use std::io::IoSlice;

use parking_lot::Mutex;

use crate::{
    api::LogError,
    core::Core,
    files::{FileError, LogFile},
    footer::FooterWriter,
    index::TRAILER,
    sealer::{SealJob, ShardAtEnd},
    segment::{Footer, Segment},
    shard,
};

/// Ends the sealer's part of the log, however its thread ends.
struct Stop<'a>(&'a Core);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        // Nobody may wait for footers that will not come.
        self.0.sealer.close();
        self.0.end_running();
    }
}

/// Runs until the log is closed.
pub fn run(core: &Core) {
    let _stop = Stop(core);
    while let Some(job) = core.sealer.next() {
        let outcome = seal(core, &job).map_err(|e| {
            tracing::error!(file = %e.path.display(), error = %e.error, "the footer of a full log file could not be written");
            refusal(core, &e)
        });
        core.sealer.done(outcome);
    }
}

/// The error of a footer that could not be written; more than a full disk stops the log.
fn refusal(core: &Core, error: &FileError) -> LogError {
    if error.is_full() {
        return LogError::DiskFull {
            dir: core.options.dir.clone(),
        };
    }
    core.queue.lock().refuse(error.poison());
    error.poison()
}

fn seal(core: &Core, job: &SealJob) -> Result<(), FileError> {
    let SealJob {
        file,
        frames_end,
        last_commit,
        shards,
    } = job;
    let mut footer = FooterWriter::default();
    // Blocks that are still in memory are found without a footer; all files before this one have theirs.
    let through = core
        .tail
        .oldest_file()
        .map_or(file.id.sequence, |oldest| file.id.sequence.min(oldest))
        - 1;
    // One buffer for all shards, of which there may be many.
    let mut blocks = Vec::new();
    for at_end in shard::fetched(shards, |at_end| &at_end.shard) {
        blocks.clear();
        {
            let mut tail = at_end.shard.tail.lock();
            if tail.removed {
                continue;
            }
            tail.prune(through);
            blocks.extend(tail.blocks_of(file.id.sequence));
        }
        let &ShardAtEnd {
            end,
            newest,
            sealed,
            ..
        } = at_end;
        let start = blocks.first().map_or(end, |b| b.first);
        footer.add(at_end.shard.number.0, start..end, newest, sealed, &blocks);
    }
    let (bytes, trailer) = footer.finish(file.header.salt, *frames_end, *last_commit);
    if let Err(e) = write_footer(file, *frames_end, &bytes) {
        // A rest of a footer does no harm: it is cut when the log is opened, or written over.
        let _ = file.cut(*frames_end);
        return Err(e);
    }
    let footer = Footer {
        header: file.header,
        trailer,
    };
    core.segments.push(Segment {
        id: file.id,
        footer: Ok(footer),
        next_look: Mutex::default(),
    });
    core.journals.lock().remove(&file.id.sequence);
    Ok(())
}

/// Writes a footer, its trailer last: where that is valid, all before it is durable.
fn write_footer(file: &LogFile, frames_end: u64, footer: &[u8]) -> Result<(), FileError> {
    let (index, trailer) = footer.split_at(footer.len() - TRAILER);
    file.write(&[IoSlice::new(index)], frames_end)?;
    // Room that was not used goes: the trailer is at the file's end.
    file.cut(frames_end + index.len() as u64)?;
    file.write(&[IoSlice::new(trailer)], frames_end + index.len() as u64)?;
    file.sync()
}
