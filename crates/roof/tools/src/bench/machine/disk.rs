//! The disk: writing one block behind the other, each of them synced.

use std::{
    io::{
        self,
        ErrorKind::{InvalidInput, Unsupported},
        IoSlice,
    },
    path::{Path, PathBuf},
    time::Duration,
};

use headwater_env::{DIRECT_ALIGN, Env, File};

use crate::{
    bench::{histogram::Histogram, machine::Limit, payload::mix},
    limits::{BENCH_DISK_BYTES_MAX, BENCH_DISK_FILE_BYTES},
};

/// Bytes of a log's commits: 64 records of 1 KiB, one call of 500, and what a full queue writes at one go.
const BLOCKS: [usize; 4] = [64 << 10, 512 << 10, 1 << 20, 4 << 20];
/// Bytes of a write to the file that is synced at its end alone.
const UNSYNCED_BLOCK: usize = 1 << 20;

const FILE: &str = "headwater-bench-limits.tmp";

/// Measures the disk under `dir`, each thing for about `duration`.
pub fn measure(dir: &Path, duration: Duration, env: &Env) -> io::Result<Vec<Limit>> {
    let mut found = Vec::new();
    for block in BLOCKS {
        found.push(synced(dir, block, WriteMode::Cached, duration, env)?);
    }
    for block in BLOCKS {
        match synced(dir, block, WriteMode::Direct, duration, env) {
            // Not every file system has such writes, or takes room ahead.
            Err(error) if matches!(error.kind(), Unsupported | InvalidInput) => break,
            found_here => found.push(found_here?),
        }
    }
    found.push(synced_at_end(dir, duration, env)?);
    Ok(found)
}

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum WriteMode {
    /// Through the system's cache, the file growing.
    Cached,
    /// Past the system's cache, into room that was taken ahead.
    Direct,
}

/// A file for the time of a measurement.
struct Scratch<'a> {
    env: &'a Env,
    path: PathBuf,
    file: Box<dyn File>,
}

impl<'a> Scratch<'a> {
    fn new(dir: &Path, env: &'a Env) -> io::Result<Self> {
        let path = dir.join(FILE);
        match env.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            // One that was stopped may have left its file.
            _ => {}
        }
        Ok(Self {
            env,
            file: env.disk.create(&path)?,
            path,
        })
    }

    fn open(&self, mode: WriteMode) -> io::Result<Box<dyn File>> {
        match mode {
            WriteMode::Cached => self.env.disk.open(&self.path),
            WriteMode::Direct => {
                self.file.allocate(BENCH_DISK_FILE_BYTES)?;
                self.file.sync()?;
                self.env.disk.open_direct(&self.path)
            }
        }
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if let Err(error) = self.env.disk.remove(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "a file of the measurement is left behind");
        }
    }
}

/// Writes block behind block, and syncs each; files are as long as those of a log.
fn synced(
    dir: &Path,
    block: usize,
    mode: WriteMode,
    duration: Duration,
    env: &Env,
) -> io::Result<Limit> {
    let (bytes, clock) = (noise(block + DIRECT_ALIGN), &env.clock);
    let bytes = &bytes[bytes.as_ptr().align_offset(DIRECT_ALIGN)..][..block];
    let (mut took, mut wall) = (Histogram::default(), Duration::ZERO);
    while wall < duration {
        let scratch = Scratch::new(dir, env)?;
        let file = scratch.open(mode)?;
        let began = clock.elapsed();
        let mut last = began;
        for at in (0..BENCH_DISK_FILE_BYTES).step_by(block) {
            file.write_all_at(&[IoSlice::new(bytes)], at)?;
            file.sync()?;
            let now = clock.elapsed();
            took.add(now - last);
            last = now;
            if wall + (now - began) >= duration {
                break;
            }
        }
        wall += last - began;
    }
    let (name, how) = match mode {
        WriteMode::Cached => ("append", ""),
        WriteMode::Direct => ("direct", ", direct, room taken ahead"),
    };
    let name = format!("disk_synced_{name}_{}k", block >> 10);
    let what = format!(
        "disk: sequential write, fdatasync each {} KiB{how}",
        block >> 10
    );
    Ok(Limit::of(&name, what, took.total(), block as u64, wall).timed(&took))
}

/// Writes for that long, and syncs once.
fn synced_at_end(dir: &Path, duration: Duration, env: &Env) -> io::Result<Limit> {
    let (bytes, clock) = (noise(UNSYNCED_BLOCK), &env.clock);
    let scratch = Scratch::new(dir, env)?;
    let (began, mut blocks) = (clock.elapsed(), 0);
    while clock.elapsed() - began < duration
        && blocks * (UNSYNCED_BLOCK as u64) < BENCH_DISK_BYTES_MAX
    {
        scratch
            .file
            .write_all_at(&[IoSlice::new(&bytes)], blocks * UNSYNCED_BLOCK as u64)?;
        blocks += 1;
    }
    scratch.file.sync()?;
    let what = "disk: sequential write, one fdatasync at the end".to_owned();
    Ok(Limit::of(
        "disk_synced_at_end",
        what,
        blocks,
        UNSYNCED_BLOCK as u64,
        clock.elapsed() - began,
    ))
}

/// Bytes that no disk can make shorter.
fn noise(bytes: usize) -> Vec<u8> {
    (0..bytes.div_ceil(8) as u64)
        .flat_map(|i| mix(i).to_le_bytes())
        .take(bytes)
        .collect()
}
