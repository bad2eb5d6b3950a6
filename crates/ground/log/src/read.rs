//! Reading: the tail from memory, the rest from files, and where a shard's readable records begin.

use std::sync::Arc;

use bytes::Bytes;
use headwater_env::buffers;
use headwater_types::Millis;

use crate::{
    api::{Chunk, LogError, ReadLimit, Record, ShardState},
    block::Records,
    block_ref::{BlockRef, Trim},
    core::Core,
    files::LogFile,
    format::{BLOCK_HEADER, BlockHeader, Fault, crc},
    limits,
    segments::Found,
    shard::{Lookup, Shard},
};

/// Where the records are that a read asks for.
enum Location {
    /// In memory.
    Cached(Vec<(BlockRef, Bytes)>),
    /// In no file any more.
    Gone,
    /// In a file.
    File(Arc<LogFile>, Vec<BlockRef>),
}

impl Core {
    /// The shard as readers see it, when memory alone knows.
    pub fn state_in_memory(&self, shard: &Shard) -> Option<ShardState> {
        let now = self.env.clock.now();
        let mut tail = shard.tail.lock();
        let cutoff = tail.cutoff(now);
        let first = tail.first_readable(cutoff)?;
        Some(tail.state(first))
    }

    /// The shard as readers see it. Blocks.
    pub fn state(&self, shard: &Shard) -> Result<ShardState, LogError> {
        let now = self.env.clock.now();
        let (cutoff, end) = {
            let mut tail = shard.tail.lock();
            let cutoff = tail.cutoff(now);
            if let Some(first) = tail.first_readable(cutoff) {
                return Ok(tail.state(first));
            }
            (cutoff, tail.end)
        };
        let trims = self.search_time(shard, cutoff)?;
        // The end of before the search: what was appended meanwhile is not passed over.
        let first = trims.first().map_or(end, |trim| trim.first);
        let mut tail = shard.tail.lock();
        // Not when the retention was changed meanwhile.
        if tail.cutoff(now) == cutoff {
            tail.trims = trims.into();
        }
        Ok(tail.state(first))
    }

    /// The first record at or after `time` that is not expired, or the end. Blocks.
    pub fn offset_at(&self, shard: &Shard, time: Millis) -> Result<u64, LogError> {
        let (time, end) = match self.offset_in_memory(shard, time) {
            Ok(found) => return Ok(found),
            Err(unknown) => unknown,
        };
        let trims = self.search_time(shard, time)?;
        Ok(trims.first().map_or(end, |trim| trim.first))
    }

    /// The same, when memory alone knows; otherwise the time to look for in the files, and the end.
    pub fn offset_in_memory(&self, shard: &Shard, time: Millis) -> Result<u64, (Millis, u64)> {
        let tail = shard.tail.lock();
        let time = tail.cutoff(self.env.clock.now()).max(time);
        tail.find_time(time)
            .map(|found| found.first)
            .ok_or((time, tail.end))
    }

    /// The first record at or after `time`, which is older than memory knows, and the blocks that follow it; nothing
    /// when there is none.
    fn search_time(&self, shard: &Shard, time: Millis) -> Result<Vec<Trim>, LogError> {
        let oldest_recent = shard.tail.lock().oldest_recent();
        let found = self.segments.find_time(shard.number, time)?;
        if !found.is_empty() {
            return Ok(found);
        }
        // No footer knows of it: the recent blocks begin with it.
        Ok(oldest_recent
            .map(|block| Trim {
                first: block.first,
                time: block.time,
            })
            .into_iter()
            .collect())
    }

    /// Reads what is in memory; nothing when a file must be asked for the first of it.
    pub fn read_memory(
        &self,
        shard: &Shard,
        from: u64,
        limit: ReadLimit,
    ) -> Option<Result<Chunk, LogError>> {
        let state = self.state_in_memory(shard)?;
        let mut collected = Collected::new(from, limit, &state);
        while !collected.full {
            let lookup = collected.look_up(shard);
            let Some(blocks) = lookup.in_memory(&self.tail) else {
                break;
            };
            if let Err(e) = self.take_cached(&mut collected, &blocks) {
                return Some(Err(e));
            }
        }
        (collected.full || !collected.records.is_empty()).then(|| Ok(collected.chunk(state)))
    }

    /// Reads wherever the records are. Blocks.
    pub fn read_anywhere(
        &self,
        shard: &Shard,
        from: u64,
        limit: ReadLimit,
    ) -> Result<Chunk, LogError> {
        let state = self.state(shard)?;
        let mut collected = Collected::new(from, limit, &state);
        while !collected.full {
            match self.locate(shard, &collected)? {
                Location::Cached(blocks) => self.take_cached(&mut collected, &blocks)?,
                Location::File(file, blocks) => {
                    read_blocks(&file, shard.number.0, &blocks, |header, bytes| {
                        collected
                            .take(header, bytes.slice(BLOCK_HEADER..))
                            .map(|()| !collected.full)
                    })?
                }
                // The record was there a moment ago and has expired: the reader goes on at the trim point.
                Location::Gone if self.state(shard)?.first > collected.next => break,
                Location::Gone => return Err(self.lost()),
            }
        }
        if collected.records.is_empty() && !collected.full {
            return self.read_anywhere(shard, collected.next, limit);
        }
        Ok(collected.chunk(state))
    }

    fn lost(&self) -> LogError {
        let file = self.options.dir.clone();
        LogError::Damaged {
            file,
            offset: 0,
            what: "no file holds a record that should be there",
        }
    }

    fn take_cached(
        &self,
        collected: &mut Collected,
        blocks: &[(BlockRef, Bytes)],
    ) -> Result<(), LogError> {
        for (block, bytes) in blocks {
            let header = BlockHeader::parse(
                bytes[..BLOCK_HEADER]
                    .try_into()
                    .expect("as long as a header"),
            );
            let done =
                header.and_then(|header| collected.take(header, bytes.slice(BLOCK_HEADER..)));
            // Memory that is not what was written: the file is named, though it may be well.
            let file = self.options.dir.clone();
            done.map_err(|what| LogError::Damaged {
                file,
                offset: block.at,
                what,
            })?;
        }
        Ok(())
    }

    fn locate(&self, shard: &Shard, collected: &Collected) -> Result<Location, LogError> {
        // A file between two states (its footer made, its blocks forgotten) is found at the second look.
        for _ in 0..2 {
            let lookup = collected.look_up(shard);
            if let Some(blocks) = lookup.in_memory(&self.tail) {
                return Ok(Location::Cached(blocks));
            }
            if let Lookup::File(sequence, blocks) = lookup
                && let Some(file) = self.journals.lock().get(&sequence).cloned()
            {
                return Ok(Location::File(file, blocks));
            }
            match self.segments.find_offset(
                shard,
                collected.next,
                collected.wanted(),
                collected.bytes_left,
            )? {
                Found::Blocks(file, blocks) => return Ok(Location::File(file, blocks)),
                Found::Gone => return Ok(Location::Gone),
                Found::After => {}
            }
        }
        Err(self.lost())
    }
}

/// The records that a read took so far.
struct Collected {
    records: Vec<Record>,
    next: u64,
    /// Where the shard ended when the read began.
    end: u64,
    most: usize,
    bytes_left: usize,
    /// Nothing more fits.
    full: bool,
}

impl Collected {
    fn new(from: u64, limit: ReadLimit, state: &ShardState) -> Self {
        let next = from.max(state.first).min(state.end);
        let full = next == state.end;
        Self {
            records: Vec::new(),
            next,
            end: state.end,
            most: limit.records.max(1),
            bytes_left: limit.bytes,
            full,
        }
    }

    /// How many records still fit.
    fn wanted(&self) -> usize {
        self.most - self.records.len()
    }

    /// The place of the next record, as far as the shard's recent blocks know it.
    fn look_up(&self, shard: &Shard) -> Lookup {
        shard
            .tail
            .lock()
            .lookup(self.next, self.wanted(), self.bytes_left)
    }

    /// Takes records out of one block, as far as they fit.
    fn take(&mut self, header: BlockHeader, body: Bytes) -> Result<(), Fault> {
        let mut found = Records::new(header, body);
        found.skip_to(self.next)?;
        while !self.full
            && let Some(record) = found.next()
        {
            let record = record?;
            let size = record.key.len() + record.value.len();
            if !self.records.is_empty() && size > self.bytes_left {
                self.full = true;
                break;
            }
            self.bytes_left = self.bytes_left.saturating_sub(size);
            self.next = record.offset + 1;
            self.records.push(record);
            self.full = self.records.len() >= self.most || self.next == self.end;
        }
        Ok(())
    }

    fn chunk(self, state: ShardState) -> Chunk {
        Chunk {
            records: self.records,
            next: self.next,
            state,
        }
    }
}

/// Reads blocks of one shard from a file, those that lie close together at one go, and hands on each that is what it
/// should be, header and all, for as long as `visit` says that more are wanted.
pub fn read_blocks(
    file: &LogFile,
    shard: u64,
    blocks: &[BlockRef],
    mut visit: impl FnMut(BlockHeader, Bytes) -> Result<bool, Fault>,
) -> Result<(), LogError> {
    let mut rest = blocks;
    while !rest.is_empty() {
        let (runs, behind) = runs_of(rest);
        rest = behind;
        let bytes = read_runs(file, &runs)?;
        let mut begin = 0;
        for run in runs {
            for block in run {
                let at = begin + (block.at - run[0].at) as usize;
                let bytes = bytes.slice(at..at + block.size() as usize);
                let done =
                    check_block(shard, block, &bytes).and_then(|header| visit(header, bytes));
                if !done.map_err(|what| file.damaged(block.at, what))? {
                    return Ok(());
                }
            }
            begin += span(run);
        }
    }
    Ok(())
}

/// Blocks that lie close together, and are read at one go.
type Run<'a> = &'a [BlockRef];

/// The first runs of the blocks, as many as one buffer takes but at least one, and the blocks that follow.
fn runs_of(blocks: &[BlockRef]) -> (Vec<Run<'_>>, &[BlockRef]) {
    let (mut runs, mut rest, mut bytes) = (Vec::new(), blocks, 0);
    while !rest.is_empty() {
        let (run, behind) = rest.split_at(run_len(rest));
        bytes += span(run);
        if bytes > limits::READ_BYTES && !runs.is_empty() {
            break;
        }
        runs.push(run);
        rest = behind;
    }
    (runs, rest)
}

/// Reads runs into one buffer, one behind the other.
fn read_runs(file: &LogFile, runs: &[Run<'_>]) -> Result<Bytes, LogError> {
    let mut bytes = buffers::of_length(runs.iter().map(|run| span(run)).sum());
    if runs.len() > 1 {
        // Before the first is read, so that the disk has them all at once.
        runs.iter().for_each(|run| file.read_ahead(run[0].at));
    }
    let mut rest = &mut bytes[..];
    for run in runs {
        let (part, behind) = rest.split_at_mut(span(run));
        file.read(part, run[0].at)?;
        rest = behind;
    }
    Ok(buffers::share(bytes))
}

/// Bytes from the first block's begin to the last one's end.
fn span(run: Run<'_>) -> usize {
    let last = run.last().expect("a run has a block");
    (last.at + last.size() - run[0].at) as usize
}

/// How many of the blocks are read at one go: at least one.
fn run_len(blocks: &[BlockRef]) -> usize {
    let start = blocks[0].at;
    let is_near = |pair: &&[BlockRef]| {
        let (end, next) = (pair[0].at + pair[0].size(), &pair[1]);
        next.at - end <= limits::READ_GAP_BYTES
            && next.at + next.size() - start <= limits::READ_BYTES as u64
    };
    1 + blocks.windows(2).take_while(is_near).count()
}

/// Whether stored bytes are the block that the index says: its header and its records.
fn check_block(shard: u64, block: &BlockRef, bytes: &[u8]) -> Result<BlockHeader, Fault> {
    let header = BlockHeader::parse(
        bytes[..BLOCK_HEADER]
            .try_into()
            .expect("as long as a header"),
    )?;
    if header.shard != shard || BlockRef::new(&header, block.at) != *block {
        return Err("another block than the index says");
    }
    if crc(&bytes[BLOCK_HEADER..]) != header.body_crc {
        return Err("the block's checksum is wrong");
    }
    Ok(header)
}
