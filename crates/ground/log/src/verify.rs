//! `verify`: every byte of every file is read and checked, and every fault is told with file and position.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    path::{Path, PathBuf},
};

use headwater_env::Env;

use crate::{
    api::LogError,
    block::Records,
    block_ref::BlockRef,
    files::{self, LogFile},
    format::{Fault, Kind},
    index::{ShardEntry, Trailer},
    scan::{Damage, Frame, Scan, Step},
    segment,
};

/// The outcome of a check of a log's folder.
#[derive(Debug, Default)]
pub struct Report {
    /// Log files.
    pub files: usize,
    /// Of these, files with a footer.
    pub sealed: usize,
    /// Commits.
    pub frames: u64,
    /// Blocks.
    pub blocks: u64,
    /// Records.
    pub records: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Shards that have a record in some file.
    pub shards: usize,
    /// The damage, with file and position.
    pub damage: Vec<LogError>,
    /// Leftovers of a crash that the next opening takes away: nothing that was acknowledged.
    pub leftovers: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for damage in &self.damage {
            match damage {
                LogError::Damaged { file, offset, what } => {
                    writeln!(f, "DAMAGE  {} at byte {offset}: {what}", file.display())?;
                }
                other => writeln!(f, "DAMAGE  {other}")?,
            }
        }
        for leftover in &self.leftovers {
            writeln!(f, "note    {leftover}")?;
        }
        let Self {
            files,
            sealed,
            frames,
            blocks,
            records,
            bytes,
            shards,
            ..
        } = self;
        writeln!(f, "{files} files ({sealed} sealed), {bytes} bytes")?;
        writeln!(
            f,
            "{frames} commits, {blocks} blocks, {records} records of {shards} shards"
        )?;
        match self.damage.len() {
            0 => write!(f, "no damage"),
            n => write!(f, "{n} places are damaged"),
        }
    }
}

/// Checks the log in `dir`, which nobody should have open: of a log in use the newest file may look torn. Blocks.
/// The error is one that kept it from looking at all.
pub fn verify(env: &Env, dir: &Path) -> Result<Report, LogError> {
    let folder = files::list(env, dir)?;
    let mut check = Check {
        report: Report::default(),
        ends: None,
        shards: BTreeSet::new(),
    };
    check.report.files = folder.files.len();
    let leftover = |path: &PathBuf| format!("{} is a leftover of a rewrite", path.display());
    check.report.leftovers = folder.leftovers.iter().map(leftover).collect();
    let mut opened = Vec::new();
    for id in folder.files {
        match LogFile::open_read(&*env.disk, dir, id)? {
            Ok(file) => opened.push(file),
            Err(what) => check.damage(&dir.join(id.name()), 0, what),
        }
    }
    let mut trailers = Vec::new();
    for file in &opened {
        trailers.push(segment::read_trailer(file)?);
    }
    let newest_sealed = trailers.iter().rposition(Result::is_ok);
    for (i, (file, trailer)) in opened.iter().zip(&trailers).enumerate() {
        check.report.bytes += file.len()?;
        let following = opened.get(i + 1);
        if i > 0 && opened[i - 1].id.sequence + 1 != file.id.sequence {
            // A file between the two was expired and is gone: where shards go on is not known.
            check.ends = None;
        }
        match trailer {
            Ok(trailer) => check.sealed(file, trailer)?,
            Err(what) if newest_sealed > Some(i) || file.id.generation > 0 => {
                check.damage(
                    &file.path,
                    file.len()?.saturating_sub(crate::index::TRAILER as u64),
                    what,
                );
                check.ends = None;
            }
            Err(_) => check.unsealed(file, following)?,
        }
        check.chain(file, trailer.as_ref().ok(), following);
    }
    check.report.shards = check.shards.len();
    Ok(check.report)
}

struct Check {
    report: Report,
    /// Each shard's end after the file before, when that is known.
    ends: Option<BTreeMap<u64, u64>>,
    shards: BTreeSet<u64>,
}

/// The blocks of a file, by shard.
type Blocks = BTreeMap<u64, Vec<BlockRef>>;

impl Check {
    fn damage(&mut self, file: &Path, offset: u64, what: Fault) {
        self.report.damage.push(LogError::Damaged {
            file: file.to_owned(),
            offset,
            what,
        });
    }

    fn bad(&mut self, file: &LogFile, bad: Damage) {
        self.damage(&file.path, bad.at, bad.what);
    }

    /// Takes an error about damage into the report; any other ends the check.
    fn tolerate<T>(&mut self, result: Result<T, LogError>) -> Result<Option<T>, LogError> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(damage @ LogError::Damaged { .. }) => {
                self.report.damage.push(damage);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// A file must begin with the commit after the last of the file before it, unless files between them are gone.
    fn chain(&mut self, file: &LogFile, trailer: Option<&Trailer>, following: Option<&LogFile>) {
        if let (Some(trailer), Some(next)) = (trailer, following)
            && next.id.sequence == file.id.sequence + 1
            && next.header.first_commit != trailer.last_commit + 1
        {
            self.damage(
                &next.path,
                0,
                "the file does not begin with the commit that follows",
            );
        }
    }

    /// Frames up to `end`; all blocks when nothing was wrong, and otherwise where it went wrong last.
    fn frames(
        &mut self,
        file: &LogFile,
        scan: &mut Scan<'_>,
    ) -> Result<(Blocks, Option<Damage>), LogError> {
        let (mut blocks, mut open_end) = (Blocks::new(), None);
        loop {
            match scan.step(true)? {
                Step::End => return Ok((blocks, open_end)),
                Step::Frame(frame) => self.frame(file, &frame, &mut blocks),
                Step::Damaged(bad) => match scan.find_later(scan.at, scan.commit)? {
                    Some((at, commit)) => {
                        self.bad(file, bad);
                        (scan.at, scan.commit) = (at, commit);
                    }
                    None => {
                        open_end = Some(bad);
                        return Ok((blocks, open_end));
                    }
                },
            }
        }
    }

    fn frame(&mut self, file: &LogFile, frame: &Frame, blocks: &mut Blocks) {
        self.report.frames += 1;
        for found in &frame.blocks {
            self.report.blocks += 1;
            let Some(body) = &found.body else {
                self.bad(
                    file,
                    Damage {
                        at: found.at,
                        what: "the block's checksum is wrong",
                    },
                );
                continue;
            };
            if found.header.kind == Kind::Seal {
                continue;
            }
            self.shards.insert(found.header.shard);
            blocks
                .entry(found.header.shard)
                .or_default()
                .push(BlockRef::new(&found.header, found.at));
            let mut records = Records::new(found.header, body.clone());
            match records.by_ref().find_map(Result::err) {
                Some(what) => self.bad(file, Damage { at: found.at, what }),
                None if !records.is_exhausted() => {
                    self.bad(
                        file,
                        Damage {
                            at: found.at,
                            what: "a block has more bytes than its records",
                        },
                    );
                }
                None => self.report.records += u64::from(found.header.count),
            }
        }
    }

    /// A file without a footer.
    fn unsealed(&mut self, file: &LogFile, following: Option<&LogFile>) -> Result<(), LogError> {
        let before = self.report.damage.len();
        let mut scan = Scan::new(file, file.len()?);
        let (blocks, open_end) = self.frames(file, &mut scan)?;
        let is_whole = following.is_none_or(|next| next.header.first_commit == scan.commit);
        match open_end {
            Some(bad) if !is_whole => self.bad(file, bad),
            None if !is_whole => {
                self.damage(&file.path, scan.at, "the file ends before its last commit")
            }
            Some(bad) => {
                let what = if following.is_some() {
                    "an unfinished footer"
                } else {
                    "a torn write"
                };
                let path = file.path.display();
                self.report.leftovers.push(format!(
                    "{path} ends with {what} at byte {}: {}",
                    bad.at, bad.what
                ));
            }
            None => {}
        }
        if self.report.damage.len() > before {
            self.ends = None;
            return Ok(());
        }
        let mut ends = self.ends.take().unwrap_or_default();
        for (shard, blocks) in &blocks {
            self.continuous(file, ends.get(shard).copied(), blocks);
            ends.insert(*shard, blocks.last().map_or(0, BlockRef::end));
        }
        self.ends = Some(ends);
        Ok(())
    }

    /// Blocks of a shard must follow each other, and what was before them.
    fn continuous(&mut self, file: &LogFile, end: Option<u64>, blocks: &[BlockRef]) {
        let mut next = end.unwrap_or(blocks[0].first);
        for block in blocks {
            if block.first != next {
                self.damage(
                    &file.path,
                    block.at,
                    "the block does not follow the shard's block before",
                );
            }
            next = block.end();
        }
    }

    /// A file with a footer.
    fn sealed(&mut self, file: &LogFile, trailer: &Trailer) -> Result<(), LogError> {
        self.report.sealed += 1;
        let before = self.report.damage.len();
        let mut scan = Scan::new(file, trailer.frames_end);
        let (blocks, open_end) = self.frames(file, &mut scan)?;
        if let Some(bad) = open_end {
            self.bad(file, bad);
        }
        if file.id.generation == 0
            && scan.commit != trailer.last_commit + 1
            && self.report.damage.len() == before
        {
            self.damage(&file.path, scan.at, "the file ends before its last commit");
        }
        let is_whole = self.report.damage.len() == before;
        let directory = segment::read_directory(file, trailer);
        let Some(entries) = self.tolerate(directory)? else {
            self.ends = None;
            return Ok(());
        };
        let mut runs_end = trailer.frames_end;
        let mut ends = BTreeMap::new();
        for entry in &entries {
            let listed = read_run(file, entry);
            if let Some(listed) = self.tolerate(listed)? {
                let found = blocks.get(&entry.shard).map_or(&[][..], Vec::as_slice);
                if is_whole && listed != found {
                    self.damage(
                        &file.path,
                        entry.run,
                        "the index does not list the blocks that are there",
                    );
                }
            }
            if entry.blocks > 0 && entry.run != runs_end {
                self.damage(
                    &file.path,
                    runs_end,
                    "there is something between the runs of the index",
                );
            }
            runs_end += u64::from(entry.run_len);
            let known = self.ends.as_ref().and_then(|ends| ends.get(&entry.shard));
            if known.is_some_and(|&end| end != entry.start && entry.start < entry.end) {
                self.damage(
                    &file.path,
                    trailer.directory,
                    "a shard does not go on where it ended before",
                );
            }
            ends.insert(entry.shard, entry.end);
        }
        if runs_end != trailer.directory {
            self.damage(
                &file.path,
                runs_end,
                "there is something between the index and the directory",
            );
        }
        self.ends = Some(ends);
        Ok(())
    }
}

fn read_run(file: &LogFile, entry: &ShardEntry) -> Result<Vec<BlockRef>, LogError> {
    let mut blocks = Vec::new();
    if entry.blocks > 0 {
        let restarts = segment::read_restarts(file, entry)?;
        for i in 0..restarts.len() {
            blocks.extend(segment::read_chunk(file, entry, &restarts, i)?);
        }
    }
    Ok(blocks)
}
