//! The sealer: one thread that gives full files their footers, away from the committer.

use std::{collections::VecDeque, io::IoSlice, sync::Arc};

use headwater_types::Millis;
use parking_lot::{Condvar, Mutex};

use crate::{
    api::LogError,
    core::Core,
    files::{FileError, LogFile},
    format::crc,
    index::{self, ENTRY, Entry, TRAILER, Trailer},
    segment::{Footer, Segment},
    shard::{self, BlockRef, Shard},
};

/// A full file that has no footer yet.
pub struct SealJob {
    /// The file.
    pub file: Arc<LogFile>,
    frames_end: u64,
    last_commit: u64,
    shards: Vec<ShardAtEnd>,
}

/// A shard as it was when a file ended.
struct ShardAtEnd {
    shard: Arc<Shard>,
    end: u64,
    newest: Millis,
    sealed: bool,
}

impl SealJob {
    /// The job for `file`, made while its last commit is the newest: `shards` are as they are now.
    pub fn new<'a>(
        file: Arc<LogFile>,
        frames_end: u64,
        last_commit: u64,
        shards: impl Iterator<Item = &'a Arc<Shard>>,
    ) -> Self {
        let at_end = |shard: &Arc<Shard>| {
            let tail = shard.tail.lock();
            let (end, newest, sealed) = (tail.end, tail.newest, tail.sealed);
            (end > 0 || sealed).then(|| ShardAtEnd {
                shard: shard.clone(),
                end,
                newest,
                sealed,
            })
        };
        let shards: Vec<_> = shards.collect();
        let mut shards: Vec<_> = shard::fetched(&shards, |shard| shard)
            .filter_map(|shard| at_end(shard))
            .collect();
        shards.sort_unstable_by_key(|at_end| at_end.shard.number);
        Self {
            file,
            frames_end,
            last_commit,
            shards,
        }
    }
}

/// The files that wait for their footers, oldest first.
pub struct Sealer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Arc<SealJob>>,
    /// The oldest could not be sealed; it is tried again when somebody asks.
    failed: Option<LogError>,
    closing: bool,
}

impl Sealer {
    /// A sealer that begins with these.
    pub fn new(jobs: Vec<SealJob>) -> Self {
        let state = State {
            jobs: jobs.into_iter().map(Arc::new).collect(),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// Waits until fewer than `most` files wait; when sealing fails, says why and has it tried again.
    pub fn admit(&self, most: usize) -> Result<(), LogError> {
        let mut state = self.state.lock();
        while state.jobs.len() >= most && !state.closing {
            if let Some(error) = state.failed.take() {
                self.changed.notify_all();
                return Err(error);
            }
            self.changed.wait(&mut state);
        }
        Ok(())
    }

    /// Adds a file.
    pub fn push(&self, job: SealJob) {
        let mut state = self.state.lock();
        state.jobs.push_back(Arc::new(job));
        state.failed = None;
        self.changed.notify_all();
    }

    /// Tries what failed again, and waits until no file waits or one fails. Blocks.
    pub fn settle(&self) -> Result<(), LogError> {
        let mut state = self.state.lock();
        state.failed = None;
        self.changed.notify_all();
        while !state.jobs.is_empty() && !state.closing {
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            self.changed.wait(&mut state);
        }
        Ok(())
    }

    /// Ends the thread after the file that it is at.
    pub fn close(&self) {
        self.state.lock().closing = true;
        self.changed.notify_all();
    }

    fn next(&self) -> Option<Arc<SealJob>> {
        let mut state = self.state.lock();
        loop {
            if state.closing {
                return None;
            }
            if let (Some(job), None) = (state.jobs.front(), &state.failed) {
                return Some(job.clone());
            }
            self.changed.wait(&mut state);
        }
    }

    fn done(&self, outcome: Result<(), LogError>) {
        let mut state = self.state.lock();
        match outcome {
            Ok(()) => drop(state.jobs.pop_front()),
            Err(e) => state.failed = Some(e),
        }
        self.changed.notify_all();
    }
}

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
            tracing::error!(file = %e.path.display(), error = %e.error, "a full file could not be given its footer");
            refusal(core, &e)
        });
        core.sealer.done(outcome);
    }
}

/// What is said about a footer that could not be written; more than a full disk stops the log.
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
    // What is still in memory is looked for without a footer; all files before this one have theirs.
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

/// Builds a footer, shard by shard in the order of their numbers.
#[derive(Default)]
pub struct FooterWriter {
    runs: Vec<u8>,
    /// With the runs' positions counted from the first of them.
    entries: Vec<Entry>,
}

impl FooterWriter {
    /// Adds a shard that had the offsets of `range` in the file, of which `blocks` are there.
    pub fn add(
        &mut self,
        shard: u64,
        range: std::ops::Range<u64>,
        newest: Millis,
        sealed: bool,
        blocks: &[BlockRef],
    ) {
        let run = self.runs.len();
        let restarts_crc = index::encode_run(&mut self.runs, blocks);
        self.entries.push(Entry {
            shard,
            start: range.start,
            end: range.end,
            kept: blocks.first().map_or(range.end, |b| b.first),
            first_time: blocks.first().map_or(Millis::ZERO, |b| b.time),
            last_time: newest,
            bytes: blocks.iter().map(BlockRef::size).sum(),
            run: run as u64,
            run_len: u32::try_from(self.runs.len() - run).expect("a run is far below 4 GiB"),
            blocks: u32::try_from(blocks.len()).expect("a file has far fewer blocks"),
            restarts_crc,
            sealed,
        });
    }

    /// The whole footer, which follows the frames, and its trailer.
    pub fn finish(self, salt: u64, frames_end: u64, last_commit: u64) -> (Vec<u8>, Trailer) {
        let Self {
            runs: mut out,
            entries,
        } = self;
        let at = out.len();
        let directory = frames_end + at as u64;
        out.reserve_exact(entries.len() * ENTRY + TRAILER);
        for entry in &entries {
            let run = if entry.blocks == 0 {
                0
            } else {
                frames_end + entry.run
            };
            out.extend_from_slice(&Entry { run, ..*entry }.encode());
        }
        let trailer = Trailer {
            salt,
            frames_end,
            last_commit,
            directory,
            shards: entries.len() as u64,
            bytes: entries.iter().map(|e| e.bytes).sum(),
            directory_crc: crc(&out[at..]),
        };
        out.extend_from_slice(&trailer.encode());
        (out, trailer)
    }
}
