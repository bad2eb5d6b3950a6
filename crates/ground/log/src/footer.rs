//! Building the footer of a sealed file, shard by shard.

use headwater_types::Millis;

use crate::{
    block_ref::BlockRef,
    format::crc,
    index::{self, ENTRY, ShardEntry, TRAILER, Trailer},
};

/// Builds a footer, shard by shard in the order of their numbers.
#[derive(Default)]
pub struct FooterWriter {
    runs: Vec<u8>,
    /// With the runs' positions counted from the first of them.
    entries: Vec<ShardEntry>,
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
        self.entries.push(ShardEntry {
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
            out.extend_from_slice(&ShardEntry { run, ..*entry }.encode());
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
