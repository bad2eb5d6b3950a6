//! Opening: from files to shards. Reads the newest footer and the files after it, and cuts what was torn.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_env::Env;
use headwater_types::Millis;

use crate::{
    api::{LogError, ShardNumber},
    core::Shards,
    files::{self, FileError, FileId, LogFile, read_error},
    format::FILE_HEADER,
    journal::Journal,
    options::Options,
    scan::{Damage, Frame, Scan, Step},
    sealer::SealJob,
    segment::{self, Segment},
    shard::Shard,
};

/// The log as its folder held it.
pub struct Recovered {
    /// The shards with records.
    pub shards: Shards,
    /// The sealed files, oldest first.
    pub segments: Vec<Arc<Segment>>,
    /// Full files whose footers are missing.
    pub unsealed: Vec<SealJob>,
    /// Where appends go on.
    pub journal: Journal,
}

/// Reads the folder, and makes its first file when it has none.
pub fn recover(env: &Env, options: &Options) -> Result<Recovered, LogError> {
    let folder = files::list(env, &options.dir)?;
    remove_leftovers(env, &options.dir, &folder.leftovers)?;
    let (segments, open) = split(env, &options.dir, &folder.files)?;
    let mut recovery = Recovery {
        env,
        options,
        shards: Shards::default(),
        unsealed: Vec::new(),
    };
    let newest_footer = segments.last();
    if let Some(segment) = newest_footer {
        recovery.take_checkpoint(segment)?;
    }
    let mut commit = newest_footer.and_then(|s| s.next_commit()).unwrap_or(1);
    let mut journal = None;
    for (i, file) in open.iter().enumerate() {
        let following = open.get(i + 1).map(|next| next.header.first_commit);
        journal = Some(recovery.replay(file, commit, following)?);
        commit = journal.as_ref().map_or(commit, |j: &Journal| j.next_commit);
    }
    let journal = match journal {
        Some(journal) => journal,
        None => {
            let sequence = folder.files.last().map_or(1, |id| id.sequence + 1);
            Journal::begin(env, options, sequence, commit).map_err(|e| open_error(options, &e))?
        }
    };
    // The newest file takes the appends; it is not full.
    if recovery
        .unsealed
        .last()
        .is_some_and(|job| job.file.id == journal.file.id)
    {
        recovery.unsealed.pop();
    }
    let Recovery {
        shards, unsealed, ..
    } = recovery;
    Ok(Recovered {
        shards,
        segments,
        unsealed,
        journal,
    })
}

/// The error of a change that opening needed.
fn open_error(options: &Options, error: &FileError) -> LogError {
    if error.is_full() {
        LogError::DiskFull {
            dir: options.dir.clone(),
        }
    } else {
        error.poison()
    }
}

fn remove_leftovers(env: &Env, dir: &Path, leftovers: &[PathBuf]) -> Result<(), LogError> {
    for path in leftovers {
        env.disk.remove(path).map_err(|e| read_error(path, &e))?;
    }
    if !leftovers.is_empty() {
        env.disk.sync_dir(dir).map_err(|e| read_error(dir, &e))?;
    }
    Ok(())
}

/// The sealed files, and the files after the last of them.
type Split = (Vec<Arc<Segment>>, Vec<Arc<LogFile>>);

fn split(env: &Env, dir: &Path, ids: &[FileId]) -> Result<Split, LogError> {
    let disk = &*env.disk;
    let mut open = Vec::new();
    let mut sealed = ids.len();
    while sealed > 0 {
        let id = ids[sealed - 1];
        match LogFile::open(disk, dir, id)? {
            Ok(file) if Segment::has_footer(&file)? => break,
            Ok(file) if id.generation > 0 => {
                return Err(file.damaged(0, "a rewritten file has no valid footer"));
            }
            Ok(file) => open.push(Arc::new(file)),
            Err(_) if is_unborn(env, dir, id, open.is_empty())? => {
                remove_leftovers(env, dir, &[dir.join(id.name())])?
            }
            Err(what) => {
                return Err(LogError::Damaged {
                    file: dir.join(id.name()),
                    offset: 0,
                    what,
                });
            }
        }
        sealed -= 1;
    }
    open.reverse();
    let segments = ids[..sealed]
        .iter()
        .map(|&id| Segment::open(disk, dir, id).map(Arc::new));
    Ok((segments.collect::<Result<_, _>>()?, open))
}

/// Whether a file without a valid header is the newest and holds nothing: its making was cut short.
fn is_unborn(env: &Env, dir: &Path, id: FileId, is_newest: bool) -> Result<bool, LogError> {
    let path = dir.join(id.name());
    let len = env
        .disk
        .open_read(&path)
        .and_then(|f| f.len())
        .map_err(|e| read_error(&path, &e))?;
    Ok(is_newest && id.generation == 0 && len <= FILE_HEADER as u64)
}

struct Recovery<'a> {
    env: &'a Env,
    options: &'a Options,
    shards: Shards,
    unsealed: Vec<SealJob>,
}

impl Recovery<'_> {
    /// Takes the state of all shards from the newest footer.
    fn take_checkpoint(&mut self, segment: &Segment) -> Result<(), LogError> {
        let footer = segment.footer.as_ref().map_err(Clone::clone)?;
        let dir = &self.options.dir;
        let damaged = |what| LogError::Damaged {
            file: dir.join(segment.id.name()),
            offset: 0,
            what,
        };
        let file = LogFile::open_read(&*self.env.disk, dir, segment.id)?.map_err(damaged)?;
        for entry in segment::read_directory(&file, &footer.trailer)? {
            let number = ShardNumber(entry.shard);
            let shard = Shard::recovered(number, entry.end, entry.last_time, entry.sealed);
            self.shards.insert(number, Arc::new(shard));
        }
        Ok(())
    }

    /// Replays a file without a footer. `following` is the first commit of the file after it, if there is one.
    fn replay(
        &mut self,
        file: &Arc<LogFile>,
        commit: u64,
        following: Option<u64>,
    ) -> Result<Journal, LogError> {
        if file.header.first_commit != commit {
            return Err(file.damaged(0, "the file does not begin with the commit that follows"));
        }
        let len = file.len()?;
        let (mut scan, mut torn) = (Scan::new(file, len), false);
        loop {
            let before = (scan.at, scan.commit);
            let bad = match scan.step(false)? {
                Step::End => break,
                Step::Damaged(bad) => bad,
                Step::Frame(frame) => {
                    let torn = frame.bad_body.filter(|_| following.is_none());
                    let Some(bad) = torn else {
                        self.apply(file, &frame)?;
                        continue;
                    };
                    if !file.header.unsynced && scan.find_later(before.0, before.1)?.is_some() {
                        self.apply(file, &frame)?;
                        continue;
                    }
                    (scan.at, scan.commit) = before;
                    bad
                }
            };
            self.check_torn(&mut scan, file, bad, following)?;
            torn = true;
            break;
        }
        let (at, next_commit) = (scan.at, scan.commit);
        if following.is_some_and(|first| first != next_commit) {
            return Err(file.damaged(at, "the file ends before its last commit"));
        }
        if at < len {
            if torn {
                tracing::warn!(file = %file.path.display(), from = at, bytes = len - at, "cutting a torn end");
            }
            file.cut(at).map_err(|e| open_error(self.options, &e))?;
        }
        self.unsealed.push(SealJob::new(
            file.clone(),
            at,
            next_commit - 1,
            self.shards.values(),
        ));
        Ok(Journal::resume(
            self.env,
            self.options,
            file.clone(),
            at,
            next_commit,
        ))
    }

    /// Decides whether a bad frame may be cut off.
    fn check_torn(
        &self,
        scan: &mut Scan<'_>,
        file: &LogFile,
        bad: Damage,
        following: Option<u64>,
    ) -> Result<(), LogError> {
        let (at, commit) = (scan.at, scan.commit);
        let torn = match following {
            // A file follows: all commits before its first were durable; what comes after them is an unfinished footer.
            Some(first) => commit == first,
            None => file.header.unsynced || scan.find_later(at, commit)?.is_none(),
        };
        if torn {
            Ok(())
        } else {
            Err(file.damaged(bad.at, bad.what))
        }
    }

    fn apply(&mut self, file: &LogFile, frame: &Frame) -> Result<(), LogError> {
        if let Some(bad) = frame.bad_body {
            tracing::error!(file = %file.path.display(), at = bad.at, "{}", bad.what);
        }
        for found in &frame.blocks {
            let (header, number) = (&found.header, ShardNumber(found.header.shard));
            let shard = self
                .shards
                .entry(number)
                .or_insert_with(|| Arc::new(Shard::new(number)));
            let (end, newest, sealed) = {
                let tail = shard.tail.lock();
                (tail.end, tail.newest, tail.sealed)
            };
            // A shard whose number comes up in the middle was removed before, and its older blocks are gone.
            let is_known = end > 0 || newest > Millis::ZERO;
            if sealed || header.time < newest || (is_known && header.first != end) {
                return Err(file.damaged(
                    found.at,
                    "the block does not follow the shard's block before",
                ));
            }
            shard.publish(header, found.at, file.id.sequence);
            shard.forget_assigned();
        }
        Ok(())
    }
}
