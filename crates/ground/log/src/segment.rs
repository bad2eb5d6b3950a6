//! A sealed file, and reading its footer.

use std::path::Path;

use headwater_env::Disk;
use headwater_types::Millis;
use parking_lot::Mutex;

use crate::{
    api::LogError,
    block_ref::BlockRef,
    files::{FileId, LogFile},
    format::{Fault, FileHeader, crc},
    index::{self, ENTRY, RESTART, Restart, ShardEntry, TRAILER, Trailer},
};

/// A sealed file.
pub struct Segment {
    /// The file's id.
    pub id: FileId,
    /// Its footer's end, or why it cannot be read.
    pub footer: Result<Footer, LogError>,
    /// When its live share must be looked at again, and for which epoch that was found.
    pub next_look: Mutex<Option<(u64, Millis)>>,
}

/// The part of a sealed file that is kept in memory.
#[derive(Debug, Clone, Copy)]
pub struct Footer {
    /// The file's header.
    pub header: FileHeader,
    /// The file's trailer.
    pub trailer: Trailer,
}

impl Segment {
    /// Whether a file ends with a valid trailer.
    pub fn has_footer(file: &LogFile) -> Result<bool, LogError> {
        Ok(read_trailer(file)?.is_ok())
    }

    /// The sealed file `id`. When its header or trailer is damaged, that is what all that need it are told.
    pub fn open(disk: &dyn Disk, dir: &Path, id: FileId) -> Result<Self, LogError> {
        let footer = match LogFile::open_read(disk, dir, id)? {
            Err(what) => Err(LogError::Damaged {
                file: dir.join(id.name()),
                offset: 0,
                what,
            }),
            Ok(file) => match read_trailer(&file)? {
                Ok(trailer) => Ok(Footer {
                    header: file.header,
                    trailer,
                }),
                Err(what) => Err(file.damaged(file.len()?.saturating_sub(TRAILER as u64), what)),
            },
        };
        if let Err(error) = &footer {
            tracing::error!(%error, "a sealed file is damaged: what it holds cannot be read");
        }
        Ok(Self {
            id,
            footer,
            next_look: Mutex::default(),
        })
    }

    /// The commit that follows the file's last.
    pub fn next_commit(&self) -> Option<u64> {
        self.footer
            .as_ref()
            .ok()
            .map(|footer| footer.trailer.last_commit + 1)
    }
}

/// The trailer of a file, or why it has none.
pub fn read_trailer(file: &LogFile) -> Result<Result<Trailer, Fault>, LogError> {
    let len = file.len()?;
    let Some(at) = len.checked_sub(TRAILER as u64) else {
        return Ok(Err("the file is shorter than a trailer"));
    };
    let mut bytes = [0; TRAILER];
    file.read(&mut bytes, at)?;
    Ok(Trailer::parse(&bytes, file.header.salt, len))
}

/// The whole directory of a sealed file.
pub fn read_directory(file: &LogFile, trailer: &Trailer) -> Result<Vec<ShardEntry>, LogError> {
    let (entries, sum) = read_entries(file, trailer.directory, trailer.shards)?;
    if sum != trailer.directory_crc {
        return Err(file.damaged(trailer.directory, "the directory's checksum is wrong"));
    }
    Ok(entries)
}

/// `count` entries of a directory that stand at `at`, and the checksum of their bytes.
pub fn read_entries(
    file: &LogFile,
    at: u64,
    count: u64,
) -> Result<(Vec<ShardEntry>, u32), LogError> {
    let mut bytes = vec![0; count as usize * ENTRY];
    file.read(&mut bytes, at)?;
    let entry = |(i, b): (usize, &[u8])| {
        let entry = ShardEntry::parse(b.try_into().expect("as long as an entry"));
        entry.map_err(|what| file.damaged(at + (i * ENTRY) as u64, what))
    };
    let entries = bytes
        .chunks_exact(ENTRY)
        .enumerate()
        .map(entry)
        .collect::<Result<_, _>>()?;
    Ok((entries, crc(&bytes)))
}

/// The restart entries of a shard's run.
pub fn read_restarts(file: &LogFile, entry: &ShardEntry) -> Result<Vec<Restart>, LogError> {
    let mut bytes = vec![0; index::restarts_len(entry.blocks as usize)];
    file.read(&mut bytes, entry.run)?;
    index::parse_restarts(&bytes, entry).map_err(|what| file.damaged(entry.run, what))
}

/// The restart entries of a run, and all its blocks.
pub type WholeRun = (Vec<Restart>, Vec<BlockRef>);

/// All of a shard's run that has a single chunk, at one go; none when it has more.
pub fn read_short_run(file: &LogFile, entry: &ShardEntry) -> Result<Option<WholeRun>, LogError> {
    if index::restarts_len(entry.blocks as usize) != RESTART {
        return Ok(None);
    }
    let mut bytes = vec![0; entry.run_len as usize];
    file.read(&mut bytes, entry.run)?;
    let run = index::parse_restarts(&bytes[..RESTART], entry).and_then(|restarts| {
        let (end, count) = index::chunk_shape(entry, &restarts, 0);
        let blocks = index::parse_chunk(
            &bytes[restarts[0].at as usize..end as usize],
            &restarts[0],
            count,
        )?;
        Ok((restarts, blocks))
    });
    run.map(Some).map_err(|what| file.damaged(entry.run, what))
}

/// Bytes of memory that a chunk of so many blocks takes.
pub fn chunk_weight(blocks: u32) -> usize {
    blocks as usize * size_of::<BlockRef>() + 64
}

/// One chunk of a shard's run.
pub fn read_chunk(
    file: &LogFile,
    entry: &ShardEntry,
    restarts: &[Restart],
    i: usize,
) -> Result<Vec<BlockRef>, LogError> {
    let (end, count) = index::chunk_shape(entry, restarts, i);
    let mut bytes = vec![0; (end - restarts[i].at) as usize];
    let at = entry.run + u64::from(restarts[i].at);
    file.read(&mut bytes, at)?;
    index::parse_chunk(&bytes, &restarts[i], count).map_err(|what| file.damaged(at, what))
}
