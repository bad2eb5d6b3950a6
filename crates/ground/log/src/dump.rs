//! `dump`: what stands in the files, line by line.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use headwater_env::Env;

use crate::{
    api::{LogError, Record, ShardNumber},
    block::Records,
    files::{self, LogFile},
    format::{BlockHeader, FileHeader, Kind},
    index::Trailer,
    scan::{Damage, Scan, Step},
    segment,
};

/// The lines that a dump shows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// Only the blocks of this shard.
    pub shard: Option<ShardNumber>,
    /// The records as well.
    pub records: bool,
}

/// A line of a dump.
#[derive(Debug)]
pub enum Line {
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its length in bytes.
        len: u64,
        /// Text about what it begins and ends with.
        about: String,
    },
    /// A commit.
    Commit {
        /// Where it begins.
        at: u64,
        /// Its number.
        commit: u64,
        /// How many blocks it has.
        blocks: usize,
    },
    /// A block.
    Block {
        /// Where it begins.
        at: u64,
        /// Its header.
        about: String,
    },
    /// A record.
    Record(Record),
    /// Bytes that are not what they should be.
    Damaged {
        /// The offset in the file.
        at: u64,
        /// The reason.
        what: &'static str,
    },
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Line::File { path, len, about } => write!(f, "{} {len} bytes {about}", path.display()),
            Line::Commit { at, commit, blocks } => {
                write!(f, "  {at:>10} commit {commit} blocks {blocks}")
            }
            Line::Block { at, about } => write!(f, "  {at:>10}   {about}"),
            Line::Record(Record {
                offset,
                time,
                key,
                value,
            }) => {
                let (key, value) = (key.escape_ascii(), value.escape_ascii());
                write!(
                    f,
                    "                  {offset} time {} key \"{key}\" value \"{value}\"",
                    time.0
                )
            }
            Line::Damaged { at, what } => write!(f, "  {at:>10} BAD {what}"),
        }
    }
}

/// Hands every line about the log in `dir` to `out`, for as long as that says true. Blocks.
pub fn dump(
    env: &Env,
    dir: &Path,
    filter: Filter,
    out: &mut dyn FnMut(Line) -> bool,
) -> Result<(), LogError> {
    for id in files::list(env, dir)?.files {
        let file = match LogFile::open_read(&*env.disk, dir, id)? {
            Ok(file) => file,
            Err(what) => {
                let goes_on = out(Line::Damaged { at: 0, what });
                tracing::warn!(file = %dir.join(id.name()).display(), what, "the file is passed over");
                if goes_on { continue } else { return Ok(()) }
            }
        };
        let (len, trailer) = (file.len()?, segment::read_trailer(&file)?.ok());
        let about = about_file(&file.header, trailer.as_ref());
        if !out(Line::File {
            path: file.path.clone(),
            len,
            about,
        }) {
            return Ok(());
        }
        if !dump_frames(&file, trailer.map_or(len, |t| t.frames_end), filter, out)? {
            return Ok(());
        }
    }
    Ok(())
}

fn about_file(header: &FileHeader, trailer: Option<&Trailer>) -> String {
    let FileHeader {
        first_commit,
        unsynced,
        ..
    } = header;
    let mode = if *unsynced {
        " written without syncs"
    } else {
        ""
    };
    match trailer {
        None => format!("commits from {first_commit}{mode}, no footer"),
        Some(Trailer {
            last_commit,
            shards,
            frames_end,
            ..
        }) => {
            format!(
                "commits {first_commit}..={last_commit}{mode}, {shards} shards, footer at {frames_end}"
            )
        }
    }
}

/// The frames of a file; whether to go on.
fn dump_frames(
    file: &LogFile,
    end: u64,
    filter: Filter,
    out: &mut dyn FnMut(Line) -> bool,
) -> Result<bool, LogError> {
    let mut scan = Scan::new(file, end);
    loop {
        let frame = match scan.step(filter.records)? {
            Step::End => return Ok(true),
            Step::Frame(frame) => frame,
            Step::Damaged(Damage { at, what }) => {
                let next = scan.find_later(scan.at, scan.commit)?;
                if !out(Line::Damaged { at, what }) {
                    return Ok(false);
                }
                let Some(next) = next else {
                    return Ok(true);
                };
                (scan.at, scan.commit) = next;
                continue;
            }
        };
        let is_wanted = |shard: u64| filter.shard.is_none_or(|wanted| wanted.0 == shard);
        let mut lines = vec![Line::Commit {
            at: frame.at,
            commit: frame.commit,
            blocks: frame.blocks.len(),
        }];
        for found in frame
            .blocks
            .iter()
            .filter(|found| is_wanted(found.header.shard))
        {
            lines.push(Line::Block {
                at: found.at,
                about: about_block(&found.header),
            });
            let records = found
                .body
                .iter()
                .flat_map(|body| Records::new(found.header, body.clone()));
            lines.extend(records.map_while(Result::ok).map(Line::Record));
        }
        lines.extend(
            frame
                .bad_body
                .map(|Damage { at, what }| Line::Damaged { at, what }),
        );
        // A commit without a block that is wanted is not shown.
        let shown = lines.len() > 1 || filter.shard.is_none();
        if shown && !lines.into_iter().all(&mut *out) {
            return Ok(false);
        }
    }
}

fn about_block(header: &BlockHeader) -> String {
    let BlockHeader {
        kind,
        count,
        shard,
        first,
        time,
        length,
        ..
    } = header;
    match kind {
        Kind::Seal => format!("shard {shard} sealed at {first}"),
        Kind::Records => {
            format!(
                "shard {shard} offsets {first}..{} time {} bytes {length}",
                first + u64::from(*count),
                time.0
            )
        }
    }
}
