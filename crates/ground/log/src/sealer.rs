//! The full files that wait for their footers: where the committer, which fills files, meets the thread that seals them.

use std::{collections::VecDeque, sync::Arc};

use headwater_types::Millis;
use parking_lot::{Condvar, Mutex};

use crate::{
    api::LogError,
    files::LogFile,
    shard::{self, Shard},
};

/// A full file that has no footer yet.
pub struct SealJob {
    /// The file.
    pub file: Arc<LogFile>,
    /// Where its frames end.
    pub frames_end: u64,
    /// Its last frame's number.
    pub last_commit: u64,
    /// The shards with records, in order of their numbers.
    pub shards: Vec<ShardAtEnd>,
}

/// A shard as it was when a file ended.
pub struct ShardAtEnd {
    /// The shard, which goes on.
    pub shard: Arc<Shard>,
    /// One past its newest record then.
    pub end: u64,
    /// The time of its newest record then.
    pub newest: Millis,
    /// Whether it took no more records then.
    pub sealed: bool,
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

/// The files that wait, oldest first.
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

    /// The oldest file that waits, as soon as there is one that is not known to fail; none at the end. Blocks.
    pub fn next(&self) -> Option<Arc<SealJob>> {
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

    /// Notes what became of the oldest.
    pub fn done(&self, outcome: Result<(), LogError>) {
        let mut state = self.state.lock();
        match outcome {
            Ok(()) => drop(state.jobs.pop_front()),
            Err(e) => state.failed = Some(e),
        }
        self.changed.notify_all();
    }
}
