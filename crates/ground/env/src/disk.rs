//! Files.

use std::{
    fs,
    io::{self, IoSlice},
    os::unix::fs::FileExt,
    path::Path,
};

/// The alignment of writes past the system's cache: a multiple of the blocks of all common disks.
pub const DIRECT_ALIGN: usize = 4096;

/// A file or folder within a folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its name within the folder.
    pub name: String,
    /// Its length in bytes; 0 for a folder.
    pub len: u64,
    /// Whether it is a folder.
    pub is_dir: bool,
}

/// The one door to the disk. All calls block; what they changed survives a crash only once the file, and for names
/// the folder, is synced.
pub trait Disk: Send + Sync {
    /// Makes a new, empty file; fails with `AlreadyExists` where there is one.
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens a file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens a file for writes past the system's cache, of which offset, length and address in memory are multiples of
    /// [`DIRECT_ALIGN`]. Fails where the file system has no such writes.
    fn open_direct(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// Opens a file for reading alone.
    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>>;
    /// The entries of a folder, sorted by name.
    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>>;
    /// Gives a file another name in the same file system, replacing what had it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Removes a folder and all it holds.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Makes a folder and those above it.
    fn create_dir_all(&self, dir: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// Bytes that the file system of `dir` can still take.
    fn free_space(&self, dir: &Path) -> io::Result<u64>;
    /// Takes an exclusive lock on a file, which is made when it is not there; held until the answer is dropped. Fails
    /// with `WouldBlock` while somebody else, in this process or another, holds it.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>>;
}

/// An open file, shared between threads; every access names its position.
#[expect(
    clippy::len_without_is_empty,
    reason = "nobody asks a file whether it is empty"
)]
pub trait File: Send + Sync {
    /// Reads at most `buffer.len()` bytes at `offset`; 0 at the file's end.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all of `parts`, one behind the other, at `offset`.
    fn write_all_at(&self, parts: &[IoSlice<'_>], offset: u64) -> io::Result<()>;
    /// Makes what was written durable, and the file's length with it.
    fn sync(&self) -> io::Result<()>;
    /// Cuts or extends the file.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Extends the file to `len` with bytes that read as zero and have their place on the disk already, so that a sync
    /// after writing them has less to do. Fails with `StorageFull` where there is no room, and with `Unsupported` where
    /// the file system cannot do it; the file may be longer then than before.
    fn allocate(&self, len: u64) -> io::Result<()>;
    /// The file's length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// Says that `len` bytes at `offset` will be read soon, so that the system may read them ahead, all at one go. Does
    /// not wait for it.
    fn will_read(&self, offset: u64, len: u64);

    /// Fills all of `buffer` from `offset`, or fails with `UnexpectedEof`.
    fn read_exact_at(&self, mut buffer: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !buffer.is_empty() {
            match self.read_at(buffer, offset)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                n => {
                    buffer = &mut buffer[n..];
                    offset += n as u64;
                }
            }
        }
        Ok(())
    }
}

/// The machine's file systems.
pub struct RealDisk;

struct RealFile(fs::File);

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)?;
        Ok(Box::new(RealFile(file)))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(RealFile(
            fs::OpenOptions::new().read(true).write(true).open(path)?,
        )))
    }

    #[cfg(target_os = "linux")]
    fn open_direct(&self, path: &Path) -> io::Result<Box<dyn File>> {
        use std::os::unix::fs::OpenOptionsExt;
        let flag = rustix::fs::OFlags::DIRECT.bits() as i32;
        Ok(Box::new(RealFile(
            fs::OpenOptions::new()
                .write(true)
                .custom_flags(flag)
                .open(path)?,
        )))
    }

    #[cfg(not(target_os = "linux"))]
    fn open_direct(&self, _: &Path) -> io::Result<Box<dyn File>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn open_read(&self, path: &Path) -> io::Result<Box<dyn File>> {
        Ok(Box::new(RealFile(
            fs::OpenOptions::new().read(true).open(path)?,
        )))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir)? {
            let (entry, meta) = entry.and_then(|e| Ok((e.file_name(), e.metadata()?)))?;
            let len = if meta.is_dir() { 0 } else { meta.len() };
            entries.push(Entry {
                name: entry.to_string_lossy().into_owned(),
                len,
                is_dir: meta.is_dir(),
            });
        }
        entries.sort();
        Ok(entries)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that touches files"
    )]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that touches files"
    )]
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that touches files"
    )]
    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that touches files"
    )]
    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        fs::File::open(dir)?.sync_all()
    }

    fn free_space(&self, dir: &Path) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(dir)?;
        Ok(stat.f_bavail * stat.f_frsize)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(RealFile(file)))
    }
}

impl File for RealFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.0.read_at(buffer, offset) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn write_all_at(&self, parts: &[IoSlice<'_>], mut offset: u64) -> io::Result<()> {
        // The kernel takes 1,024 parts a call.
        for mut parts in parts.chunks(1024).map(<[_]>::to_vec) {
            let mut parts = &mut parts[..];
            IoSlice::advance_slices(&mut parts, 0);
            while !parts.is_empty() {
                match rustix::io::pwritev(&self.0, parts, offset) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(n) => {
                        offset += n as u64;
                        IoSlice::advance_slices(&mut parts, n);
                    }
                    Err(rustix::io::Errno::INTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let from = self.len()?;
        let more = len.checked_sub(from).filter(|more| *more > 0);
        let Some(more) = more else { return Ok(()) };
        Ok(rustix::fs::fallocate(
            &self.0,
            rustix::fs::FallocateFlags::empty(),
            from,
            more,
        )?)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    #[cfg(target_os = "linux")]
    fn will_read(&self, offset: u64, len: u64) {
        // Advice: where it is not taken, the read itself takes longer.
        let _ = rustix::fs::fadvise(
            &self.0,
            offset,
            std::num::NonZeroU64::new(len),
            rustix::fs::Advice::WillNeed,
        );
    }

    #[cfg(not(target_os = "linux"))]
    fn will_read(&self, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_parts_arrive_as_one_run_of_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = RealDisk.create(&path).unwrap();
        let parts: Vec<[u8; 3]> = (0..3000u32).map(|i| [i as u8, (i >> 8) as u8, 7]).collect();
        let slices: Vec<IoSlice> = parts.iter().map(|p| IoSlice::new(p)).collect();
        file.write_all_at(&slices, 5).unwrap();
        file.sync().unwrap();
        let mut back = vec![0; 9000];
        file.read_exact_at(&mut back, 5).unwrap();
        assert_eq!(back, parts.concat());
        assert_eq!(file.len().unwrap(), 9005);
        file.allocate(100_000).unwrap();
        file.allocate(9_000).unwrap();
        assert_eq!(file.len().unwrap(), 100_000, "it only grows");
        let mut rest = vec![1; 100_000 - 9005];
        file.read_exact_at(&mut rest, 9005).unwrap();
        assert!(rest.iter().all(|byte| *byte == 0));
        assert!(RealDisk.create(&path).is_err(), "a file is not made twice");
        assert!(RealDisk.free_space(dir.path()).unwrap() > 0);
    }
}
