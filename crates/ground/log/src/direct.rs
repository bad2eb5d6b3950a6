//! Writing to a file's end past the system's cache: in whole blocks of the disk, out of a buffer that is aligned to them.
//!
//! The last block is seldom full. It is filled up with zeros, and written again with what follows it: the bytes that it
//! held before are the same in both writes, so that a torn one harms none of them.
//!
//! A block that has its place on the disk and was never written is known to the file system as such, and the sync after
//! its first write has to write that down, too, which takes longer than a small write itself. So one of many small
//! writes brings zeros for those that follow.

use std::io::{self, IoSlice};

use headwater_env::{DIRECT_ALIGN, Disk, File};

use crate::{
    files::LogFile,
    limits::{DIRECT_BYTES, SMALL_WRITE_BYTES, ZEROS_AHEAD_BYTES},
};

/// A file's end.
pub struct Direct {
    file: Box<dyn File>,
    /// Has room for [`DIRECT_BYTES`] from an aligned address on.
    buffer: Vec<u8>,
    /// The bytes that the file's last block holds so far.
    last: Vec<u8>,
    /// Up to where blocks were written since this was opened.
    written: u64,
}

impl Direct {
    /// The end of a file of `len` bytes; none where the file system has no such writes.
    pub fn open(disk: &dyn Disk, file: &LogFile, len: u64) -> Option<Self> {
        let begun = len % DIRECT_ALIGN as u64;
        let mut last = vec![0; begun as usize];
        file.read(&mut last, len - begun).ok()?;
        let file = disk.open_direct(&file.path).ok()?;
        Some(Self {
            file,
            buffer: vec![0; DIRECT_BYTES + DIRECT_ALIGN],
            last,
            written: 0,
        })
    }

    /// Writes `parts` one behind the other at the end, which is at `at`, in a file that has its places on the disk up to
    /// `room`. After an error the end is where it was.
    pub fn write(&mut self, parts: &[IoSlice<'_>], at: u64, room: u64) -> io::Result<()> {
        let is_small = parts.iter().map(|part| part.len()).sum::<usize>() <= SMALL_WRITE_BYTES;
        let aligned = self.buffer.as_ptr().align_offset(DIRECT_ALIGN);
        let buffer = &mut self.buffer[aligned..aligned + DIRECT_BYTES];
        let mut at = at - self.last.len() as u64;
        let mut filled = 0;
        for mut part in [&self.last[..]]
            .into_iter()
            .chain(parts.iter().map(|part| &part[..]))
        {
            while !part.is_empty() {
                let (now, later) = part.split_at(part.len().min(DIRECT_BYTES - filled));
                buffer[filled..filled + now.len()].copy_from_slice(now);
                (filled, part) = (filled + now.len(), later);
                if filled == DIRECT_BYTES {
                    self.file.write_all_at(&[IoSlice::new(buffer)], at)?;
                    (filled, at) = (0, at + DIRECT_BYTES as u64);
                }
            }
        }
        let mut whole = filled.next_multiple_of(DIRECT_ALIGN);
        if is_small && at + whole as u64 > self.written {
            let blocks = room.saturating_sub(at) as usize / DIRECT_ALIGN;
            whole = whole.max((whole + ZEROS_AHEAD_BYTES).min(blocks * DIRECT_ALIGN));
        }
        buffer[filled..whole].fill(0);
        if filled > 0 {
            self.file
                .write_all_at(&[IoSlice::new(&buffer[..whole])], at)?;
        }
        self.written = self.written.max(at + whole as u64);
        self.last.clear();
        self.last
            .extend_from_slice(&buffer[filled - filled % DIRECT_ALIGN..filled]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use headwater_env::{RealDisk, SimDisk};

    use super::*;
    use crate::format::FileHeader;

    fn write_and_read_back(disk: &dyn Disk, dir: &Path) {
        let header = FileHeader {
            unsynced: false,
            generation: 0,
            salt: 1,
            sequence: 1,
            first_commit: 1,
        };
        let file = LogFile::create(disk, dir, "file", header).unwrap();
        let Some(mut end) = Direct::open(disk, &file, 64) else {
            return;
        };
        let mut expected = header.encode().to_vec();
        let room = (ZEROS_AHEAD_BYTES + DIRECT_BYTES + 100) as u64;
        for (i, size) in [
            1,
            4031,
            4096,
            10,
            5000,
            2 * DIRECT_BYTES + 77,
            DIRECT_BYTES,
            3,
        ]
        .into_iter()
        .enumerate()
        {
            let bytes = vec![i as u8 + 1; size];
            let (front, back) = bytes.split_at(size / 3);
            end.write(
                &[IoSlice::new(front), IoSlice::new(back)],
                expected.len() as u64,
                room,
            )
            .unwrap();
            expected.extend_from_slice(&bytes);
            let mut back = vec![0; file.len().unwrap() as usize];
            file.read(&mut back, 0).unwrap();
            assert!(back[..expected.len()] == expected, "write {i}");
            assert!(
                back[expected.len()..].iter().all(|byte| *byte == 0),
                "write {i}"
            );
            if i < 4 {
                assert_eq!(
                    back.len(),
                    DIRECT_ALIGN + ZEROS_AHEAD_BYTES,
                    "the first brings zeros for all of these"
                );
            }
            if i == 3 {
                end = Direct::open(disk, &file, expected.len() as u64).unwrap();
            }
        }
    }

    #[test]
    fn what_is_written_in_whole_blocks_reads_as_one_run_of_bytes() {
        let simulated = SimDisk::new(1);
        simulated.create_dir_all(Path::new("/d")).unwrap();
        write_and_read_back(&simulated, Path::new("/d"));
        // Under the package's folder, not the system's temporary one, which may be in memory.
        let dir = tempfile::tempdir_in(".").unwrap();
        write_and_read_back(&RealDisk, dir.path());
    }
}
