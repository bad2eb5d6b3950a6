//! All sealed files: which of them has an offset or a time is found by a binary search through their directories.
//!
//! Footers are read from disk when they are needed, with a small cache in front. In memory a sealed file costs a
//! constant, whatever it holds.

use std::{
    path::PathBuf,
    sync::{Arc, atomic::Ordering},
};

use headwater_env::Disk;
use headwater_types::Millis;
use parking_lot::RwLock;

use crate::{
    api::{LogError, ShardNumber, Taken},
    block_ref::{BlockRef, Trim, Wanted},
    cache::Cache,
    files::{FileId, LogFile},
    index::{ENTRY, Restart, ShardEntry, Trailer},
    limits,
    segment::{Segment, chunk_weight, read_chunk, read_entries, read_restarts, read_short_run},
    shard::Shard,
};

/// Directory entries that are read at one go.
const PAGE_ENTRIES: u64 = 48;

/// All sealed files, oldest first, and what was read of them lately.
pub struct Segments {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    list: RwLock<Arc<List>>,
    files: Cache<FileId, Arc<LogFile>>,
    pages: Cache<(FileId, u64), Arc<Vec<ShardEntry>>>,
    restarts: Cache<(FileId, u64), Arc<Vec<Restart>>>,
    chunks: Cache<(FileId, u64, usize), Arc<Vec<BlockRef>>>,
}

/// Sealed files, oldest first, and the places of those whose footer can be read.
#[derive(Default)]
pub struct List {
    /// All.
    pub segments: Vec<Arc<Segment>>,
    readable: Vec<usize>,
}

impl List {
    fn new(segments: Vec<Arc<Segment>>) -> Arc<Self> {
        let readable = (0..segments.len())
            .filter(|&i| segments[i].footer.is_ok())
            .collect();
        Arc::new(Self { segments, readable })
    }
}

/// Where an offset is, as the sealed files know it.
pub enum Found {
    /// In these blocks of this file.
    Blocks(Arc<LogFile>, Vec<BlockRef>),
    /// Nowhere any more.
    Gone,
    /// After all sealed files.
    After,
}

impl Segments {
    /// The sealed files of `dir`.
    pub fn new(disk: Arc<dyn Disk>, dir: PathBuf, list: Vec<Arc<Segment>>) -> Self {
        let third = limits::INDEX_CACHE_BYTES / 3;
        Self {
            disk,
            dir,
            list: RwLock::new(List::new(list)),
            files: Cache::new(limits::OPEN_FILES),
            pages: Cache::new(third),
            restarts: Cache::new(third),
            chunks: Cache::new(third),
        }
    }

    /// All of them, oldest first.
    pub fn all(&self) -> Arc<List> {
        self.list.read().clone()
    }

    /// The bytes of indexes that are kept.
    pub fn cached(&self) -> Taken {
        let bytes = self.pages.weight() + self.restarts.weight() + self.chunks.weight();
        Taken {
            bytes: bytes as u64,
            of: limits::INDEX_CACHE_BYTES as u64,
        }
    }

    /// Adds the newest.
    pub fn push(&self, segment: Segment) {
        self.change(|list| list.push(Arc::new(segment)));
    }

    /// Puts a rewrite in a file's place, or nothing.
    pub fn replace(&self, id: FileId, with: Option<Segment>) {
        self.change(|list| match (list.iter().position(|s| s.id == id), with) {
            (Some(at), Some(segment)) => list[at] = Arc::new(segment),
            (Some(at), None) => drop(list.remove(at)),
            (None, _) => {}
        });
        self.files.forget(|key| *key == id);
        self.pages.forget(|key| key.0 == id);
        self.restarts.forget(|key| key.0 == id);
        self.chunks.forget(|key| key.0 == id);
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Arc<Segment>>)) {
        let mut list = self.list.write();
        let mut changed = list.segments.clone();
        change(&mut changed);
        *list = List::new(changed);
    }

    /// The open file of a sealed file.
    pub fn file(&self, segment: &Segment) -> Result<Arc<LogFile>, LogError> {
        segment.footer.as_ref().map_err(Clone::clone)?;
        self.files.get_or(segment.id, || {
            let file = LogFile::open_read(&*self.disk, &self.dir, segment.id)?;
            let damaged = |what| LogError::Damaged {
                file: self.dir.join(segment.id.name()),
                offset: 0,
                what,
            };
            Ok((Arc::new(file.map_err(damaged)?), 1))
        })
    }

    /// The entry of `shard` in `segment`: a binary search through the pages of its directory.
    fn entry(&self, segment: &Segment, shard: ShardNumber) -> Result<Option<ShardEntry>, LogError> {
        let trailer = &segment.footer.as_ref().map_err(Clone::clone)?.trailer;
        let (mut low, mut high) = (0, trailer.shards.div_ceil(PAGE_ENTRIES));
        while low < high {
            let middle = (low + high) / 2;
            let page = self.page(segment, trailer, middle)?;
            match page.binary_search_by_key(&shard.0, |entry| entry.shard) {
                Ok(i) => return Ok(Some(page[i])),
                Err(0) => high = middle,
                Err(i) if i == page.len() => low = middle + 1,
                Err(_) => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Some entries of a directory, each of which was checked.
    fn page(
        &self,
        segment: &Segment,
        trailer: &Trailer,
        page: u64,
    ) -> Result<Arc<Vec<ShardEntry>>, LogError> {
        self.pages.get_or((segment.id, page), || {
            let from = page * PAGE_ENTRIES;
            let count = PAGE_ENTRIES.min(trailer.shards - from);
            let entries = read_entries(
                &*self.file(segment)?,
                trailer.directory + from * ENTRY as u64,
                count,
            )?
            .0;
            let weight = entries.len() * size_of::<ShardEntry>();
            Ok((Arc::new(entries), weight))
        })
    }

    fn restarts(
        &self,
        segment: &Segment,
        entry: &ShardEntry,
    ) -> Result<Arc<Vec<Restart>>, LogError> {
        self.restarts.get_or((segment.id, entry.shard), || {
            let file = self.file(segment)?;
            let restarts = match read_short_run(&file, entry)? {
                Some((restarts, blocks)) => {
                    self.chunks.insert(
                        (segment.id, entry.shard, 0),
                        Arc::new(blocks),
                        chunk_weight(entry.blocks),
                    );
                    restarts
                }
                None => read_restarts(&file, entry)?,
            };
            let weight = restarts.len() * size_of::<Restart>() + 64;
            Ok((Arc::new(restarts), weight))
        })
    }

    fn chunk(
        &self,
        segment: &Segment,
        entry: &ShardEntry,
        restarts: &[Restart],
        i: usize,
    ) -> Result<Arc<Vec<BlockRef>>, LogError> {
        self.chunks.get_or((segment.id, entry.shard, i), || {
            let blocks = read_chunk(&*self.file(segment)?, entry, restarts, i)?;
            let weight = chunk_weight(blocks.len() as u32);
            Ok((Arc::new(blocks), weight))
        })
    }

    /// The first file whose entry for the shard `holds`, which once true stays true. A file that cannot be read and
    /// may be that one is an error.
    fn first_where(
        &self,
        list: &List,
        shard: ShardNumber,
        holds: impl Fn(&ShardEntry) -> bool,
    ) -> Result<Option<(usize, ShardEntry)>, LogError> {
        let List { segments, readable } = list;
        let (mut low, mut high, mut found) = (0, readable.len(), None);
        while low < high {
            let middle = (low + high) / 2;
            match self
                .entry(&segments[readable[middle]], shard)?
                .filter(&holds)
            {
                Some(entry) => (high, found) = (middle, Some((readable[middle], entry))),
                None => low = middle + 1,
            }
        }
        let next_readable = readable.get(low).copied().unwrap_or(segments.len());
        let Some(damage) = next_readable
            .checked_sub(1)
            .and_then(|i| segments[i].footer.as_ref().err())
        else {
            return Ok(found);
        };
        // Unless the shard got nothing in the damaged file, what is looked for may be in there.
        let before = low
            .checked_sub(1)
            .map(|i| self.entry(&segments[readable[i]], shard))
            .transpose()?
            .flatten();
        match found {
            Some((_, entry)) if entry.start == before.map_or(0, |b| b.end) => Ok(found),
            _ => Err(damage.clone()),
        }
    }

    /// The first record at or after `time`, and some blocks that follow it; nothing when no sealed file has it.
    pub fn find_time(&self, shard: ShardNumber, time: Millis) -> Result<Vec<Trim>, LogError> {
        self.with_list(|list| {
            let mut next = self.first_where(list, shard, |entry| entry.last_time >= time)?;
            while let Some((at, entry)) = next {
                let found = self.blocks_at(&list.segments[at], &entry, time)?;
                if !found.is_empty() {
                    return Ok(found);
                }
                // The file's end carries the time of a record whose block is not there any more.
                next = self.first_where(list, shard, |later| later.end > entry.end)?;
            }
            Ok(Vec::new())
        })
    }

    /// The first blocks at or after `time` of a shard in one file, within one chunk.
    fn blocks_at(
        &self,
        segment: &Segment,
        entry: &ShardEntry,
        time: Millis,
    ) -> Result<Vec<Trim>, LogError> {
        if entry.blocks == 0 {
            return Ok(Vec::new());
        }
        let restarts = self.restarts(segment, entry)?;
        let after = restarts.partition_point(|r| r.time < time);
        // The first such block begins the chunk `after`, or is within the one before.
        for i in after.saturating_sub(1)..restarts.len().min(after + 1) {
            let chunk = self.chunk(segment, entry, &restarts, i)?;
            let found = &chunk[chunk.partition_point(|b| b.time < time)..];
            if !found.is_empty() {
                let trims = found.iter().map(|b| Trim {
                    first: b.first,
                    time: b.time,
                });
                return Ok(trims.take(limits::TRIM_BLOCKS).collect());
            }
        }
        Ok(Vec::new())
    }

    /// Where the record at `from` is.
    pub fn find_offset(
        &self,
        shard: &Shard,
        from: u64,
        records: usize,
        bytes: usize,
    ) -> Result<Found, LogError> {
        self.with_list(|list| {
            let near = self.find_near(list, shard, from)?;
            let found = match near {
                None => self.first_where(list, shard.number, |entry| entry.end > from)?,
                near => near,
            };
            let Some((at, entry)) = found else {
                return Ok(Found::After);
            };
            if from < entry.kept {
                return Ok(Found::Gone);
            }
            let segment = &list.segments[at];
            shard
                .last_read
                .store(segment.id.sequence, Ordering::Relaxed);
            let blocks = self.blocks_from(segment, &entry, from, records, bytes)?;
            Ok(Found::Blocks(self.file(segment)?, blocks))
        })
    }

    /// The file that has `from`, when it is the one that was read last or the next.
    fn find_near(
        &self,
        list: &List,
        shard: &Shard,
        from: u64,
    ) -> Result<Option<(usize, ShardEntry)>, LogError> {
        let last = shard.last_read.load(Ordering::Relaxed);
        let at = list
            .segments
            .partition_point(|segment| segment.id.sequence < last);
        for at in (at..list.segments.len())
            .take(2)
            .filter(|&at| list.segments[at].footer.is_ok())
        {
            let entry = self.entry(&list.segments[at], shard.number)?;
            if let Some(entry) = entry.filter(|entry| (entry.start..entry.end).contains(&from)) {
                return Ok(Some((at, entry)));
            }
        }
        Ok(None)
    }

    /// The blocks from the one that holds `from` on, within one chunk of the index and the next.
    fn blocks_from(
        &self,
        segment: &Segment,
        entry: &ShardEntry,
        from: u64,
        records: usize,
        bytes: usize,
    ) -> Result<Vec<BlockRef>, LogError> {
        let restarts = self.restarts(segment, entry)?;
        let i = restarts
            .partition_point(|r| r.first <= from)
            .saturating_sub(1);
        let chunk = self.chunk(segment, entry, &restarts, i)?;
        let hit = chunk.partition_point(|b| b.end() <= from);
        let damaged = |what| LogError::Damaged {
            file: self.dir.join(segment.id.name()),
            offset: entry.run,
            what,
        };
        let Some(block) = chunk.get(hit).filter(|b| b.first <= from) else {
            return Err(damaged("the index lacks a block that it should list"));
        };
        let wanted = Wanted::from(*block, from, records, bytes);
        Ok(wanted.take(chunk[hit..].iter().copied(), |block| *block))
    }

    /// Runs `work` on the list, and again when the list changed while a file of it was gone.
    fn with_list<T>(&self, work: impl Fn(&List) -> Result<T, LogError>) -> Result<T, LogError> {
        loop {
            let list = self.all();
            match work(&list) {
                Err(LogError::Io { .. }) if !Arc::ptr_eq(&list, &self.all()) => {}
                done => return done,
            }
        }
    }
}
