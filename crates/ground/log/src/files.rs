//! The log's folder: names of files, and open files that know their own name.

use std::{
    io::{self, IoSlice},
    path::{Path, PathBuf},
    sync::Arc,
};

use headwater_env::{Disk, Env, File};
use parking_lot::Mutex;

use crate::{
    api::LogError,
    format::{FILE_HEADER, Fault, FileHeader},
    limits,
};

/// The id of a log file: its place among the others, and how often it was rewritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// Grows in the order in which the files were begun.
    pub sequence: u64,
    /// 0 for a journal file, more for a rewrite.
    pub generation: u32,
}

impl FileId {
    /// The file's name.
    pub fn name(self) -> String {
        format!("{:020}.{:06}.log", self.sequence, self.generation)
    }

    /// The file that has this name, if it is a log file's.
    pub fn parse(name: &str) -> Option<Self> {
        let (sequence, generation) = name.strip_suffix(".log")?.split_once('.')?;
        let id = Self {
            sequence: sequence.parse().ok()?,
            generation: generation.parse().ok()?,
        };
        (id.name() == name).then_some(id)
    }
}

/// An open log file.
pub struct LogFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its id: its place among the others, and how often it was rewritten.
    pub id: FileId,
    /// Its header.
    pub header: FileHeader,
    file: Box<dyn File>,
    /// The parts that were read ahead since the file was opened, a bit each.
    ahead: Mutex<Vec<u64>>,
}

impl LogFile {
    /// Makes a new file under `name`, with its header, both durable.
    pub fn create(
        disk: &dyn Disk,
        dir: &Path,
        name: &str,
        header: FileHeader,
    ) -> Result<Self, FileError> {
        let path = dir.join(name);
        let id = FileId {
            sequence: header.sequence,
            generation: header.generation,
        };
        let file = disk
            .create(&path)
            .map_err(|e| FileError::new(&path, "write", e))?;
        let new = Self {
            path,
            id,
            header,
            file,
            ahead: Mutex::default(),
        };
        let filled = new
            .write(&[IoSlice::new(&header.encode())], 0)
            .and_then(|()| new.sync());
        let named = filled.and_then(|()| {
            disk.sync_dir(dir)
                .map_err(|e| FileError::new(&new.path, "sync", e))
        });
        if let Err(e) = named {
            // It may stay behind: an empty newest file is removed when the log is opened.
            let _ = disk.remove(&new.path);
            return Err(e);
        }
        Ok(new)
    }

    /// Opens a file for reading and writing, and reads its header; `Ok(Err(..))` when that is not a valid one.
    pub fn open(disk: &dyn Disk, dir: &Path, id: FileId) -> Result<Result<Self, Fault>, LogError> {
        Self::checked(dir, id, |path| disk.open(path))
    }

    /// The same for reading alone.
    pub fn open_read(
        disk: &dyn Disk,
        dir: &Path,
        id: FileId,
    ) -> Result<Result<Self, Fault>, LogError> {
        Self::checked(dir, id, |path| disk.open_read(path))
    }

    fn checked(
        dir: &Path,
        id: FileId,
        open: impl FnOnce(&Path) -> io::Result<Box<dyn File>>,
    ) -> Result<Result<Self, Fault>, LogError> {
        let path = dir.join(id.name());
        let read = || {
            let file = open(&path)?;
            let mut bytes = [0; FILE_HEADER];
            let whole = file.len()? >= FILE_HEADER as u64;
            if whole {
                file.read_exact_at(&mut bytes, 0)?;
            }
            Ok((file, whole.then_some(bytes)))
        };
        let (file, bytes) = read().map_err(|e| read_error(&path, &e))?;
        let header = match bytes.as_ref().map(FileHeader::parse) {
            None => return Ok(Err("the file is shorter than its header")),
            Some(Err(wrong)) => return Ok(Err(wrong)),
            Some(Ok(header)) => header,
        };
        if (FileId {
            sequence: header.sequence,
            generation: header.generation,
        }) != id
        {
            return Ok(Err("the file has another file's name"));
        }
        Ok(Ok(Self {
            path,
            id,
            header,
            file,
            ahead: Mutex::default(),
        }))
    }

    /// Writes `parts` one behind the other at `at`.
    pub fn write(&self, parts: &[IoSlice<'_>], at: u64) -> Result<(), FileError> {
        self.file
            .write_all_at(parts, at)
            .map_err(|e| FileError::new(&self.path, "write", e))
    }

    /// Makes what was written durable.
    pub fn sync(&self) -> Result<(), FileError> {
        self.file
            .sync()
            .map_err(|e| FileError::new(&self.path, "sync", e))
    }

    /// Extends the file to `len` with zeros that have their place on the disk.
    pub fn allocate(&self, len: u64) -> Result<(), FileError> {
        self.file
            .allocate(len)
            .map_err(|e| FileError::new(&self.path, "write", e))
    }

    /// Cuts the file at `len`, durably.
    pub fn cut(&self, len: u64) -> Result<(), FileError> {
        self.file
            .set_len(len)
            .map_err(|e| FileError::new(&self.path, "write", e))?;
        self.sync()
    }

    /// Fills `buffer` from `at`.
    pub fn read(&self, buffer: &mut [u8], at: u64) -> Result<(), LogError> {
        self.file
            .read_exact_at(buffer, at)
            .map_err(|e| match e.kind() {
                io::ErrorKind::UnexpectedEof => {
                    self.damaged(at, "the file ends before what it should hold")
                }
                _ => read_error(&self.path, &e),
            })
    }

    /// Has the system read the part around `at` ahead, once for all that will be read of it.
    pub fn read_ahead(&self, at: u64) {
        let part = at / limits::READ_AHEAD_BYTES;
        let (word, bit) = ((part / 64) as usize, 1 << (part % 64));
        let mut ahead = self.ahead.lock();
        if ahead.len() <= word {
            ahead.resize(word + 1, 0);
        }
        if ahead[word] & bit == 0 {
            ahead[word] |= bit;
            self.file
                .will_read(part * limits::READ_AHEAD_BYTES, limits::READ_AHEAD_BYTES);
        }
    }

    /// The file's length in bytes.
    pub fn len(&self) -> Result<u64, LogError> {
        self.file.len().map_err(|e| read_error(&self.path, &e))
    }

    /// The error that says that this file is damaged.
    pub fn damaged(&self, offset: u64, what: Fault) -> LogError {
        LogError::Damaged {
            file: self.path.clone(),
            offset,
            what,
        }
    }
}

/// The error of a read that failed.
pub fn read_error(path: &Path, error: &io::Error) -> LogError {
    LogError::Io {
        file: path.to_owned(),
        error: error.to_string().into(),
    }
}

/// Why a file could not be changed.
#[derive(Debug)]
pub struct FileError {
    /// The file's path.
    pub path: PathBuf,
    /// "write" or "sync".
    pub operation: &'static str,
    /// The system's error.
    pub error: io::Error,
}

impl FileError {
    /// An error of `path`.
    pub fn new(path: &Path, operation: &'static str, error: io::Error) -> Self {
        Self {
            path: path.to_owned(),
            operation,
            error,
        }
    }

    /// Whether it was a write for which there was no room, and nothing else.
    pub fn is_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        self.operation == "write" && matches!(self.error.kind(), StorageFull | QuotaExceeded)
    }

    /// The log's answer to everything after this error, which it cannot recover from.
    pub fn poison(&self) -> LogError {
        let error: Arc<str> = format!("{}: {}", self.path.display(), self.error).into();
        LogError::Poisoned {
            operation: self.operation,
            error,
        }
    }
}

/// The contents of the log's folder.
pub struct Folder {
    /// The files that count, in order of sequence.
    pub files: Vec<FileId>,
    /// Leftovers of a crash: unfinished rewrites and files that were rewritten.
    pub leftovers: Vec<PathBuf>,
}

/// Lists the log's folder.
pub fn list(env: &Env, dir: &Path) -> Result<Folder, LogError> {
    let entries = env.disk.list(dir).map_err(|e| read_error(dir, &e))?;
    let mut files: Vec<FileId> = entries
        .iter()
        .filter_map(|e| FileId::parse(&e.name))
        .collect();
    files.sort_unstable();
    let mut leftovers: Vec<PathBuf> = entries
        .iter()
        .filter(|e| e.name.ends_with(".tmp"))
        .map(|e| dir.join(&e.name))
        .collect();
    for pair in files
        .windows(2)
        .filter(|pair| pair[0].sequence == pair[1].sequence)
    {
        leftovers.push(dir.join(pair[0].name()));
    }
    files.reverse();
    files.dedup_by_key(|id| id.sequence);
    files.reverse();
    Ok(Folder { files, leftovers })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_file_only_in_its_one_form() {
        let id = FileId {
            sequence: 7,
            generation: 2,
        };
        assert_eq!(FileId::parse(&id.name()), Some(id));
        for other in [
            "LOCK",
            "7.2.log",
            "00000000000000000007.000002.log.tmp",
            "x.y.log",
            ".log",
        ] {
            assert_eq!(FileId::parse(other), None, "{other}");
        }
    }
}
