//! Packages as they were uploaded: one synced file each, named by an id that is never used twice.

use std::{
    io::{self, IoSlice},
    path::PathBuf,
    sync::Arc,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headwater_env::{Disk, File};
use sha2::{Digest, Sha256};

use crate::{Code, Error, PackageError, limits};

/// The folder of packages.
#[derive(Clone)]
pub(crate) struct Packages {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
}

/// The SHA-256 of `bytes` in base64, as functions' code is named by.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(bytes))
}

impl Packages {
    pub fn open(disk: Arc<dyn Disk>, dir: PathBuf) -> Result<Self, Error> {
        disk.create_dir_all(&dir)
            .map_err(Error::disk("making the folder of packages"))?;
        Ok(Self { disk, dir })
    }

    /// Keeps a package; durable when it returns.
    pub fn put(&self, id: &str, bytes: &[u8]) -> Result<(), Error> {
        self.write(id, bytes)
            .map_err(Error::disk("storing a package"))
    }

    fn write(&self, id: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.dir.join(id);
        let written = self.disk.create(&path).and_then(|file| {
            file.write_all_at(&[IoSlice::new(bytes)], 0)?;
            file.sync()
        });
        if written.is_err() {
            // Half a package would be cleaned away at the next start; now is better.
            drop(self.disk.remove(&path));
        }
        written?;
        self.disk.sync_dir(&self.dir)
    }

    /// Reads a package back and makes sure that it is what was uploaded.
    pub fn get(&self, code: &Code) -> Result<Bytes, Error> {
        let file = self.disk.open_read(&self.dir.join(&code.package));
        let bytes = file
            .and_then(|f| read_all(&*f))
            .map_err(Error::disk("reading a package"))?;
        if sha256(&bytes) == code.sha256 {
            Ok(bytes.into())
        } else {
            Err(PackageError::Damaged(code.package.clone()).into())
        }
    }

    /// Opens a package to be read in pieces.
    pub fn reader(&self, code: &Code) -> Result<PackageReader, Error> {
        let file = self.disk.open_read(&self.dir.join(&code.package));
        Ok(PackageReader {
            file: file.map_err(Error::disk("reading a package"))?,
            code: code.clone(),
            at: 0,
            hash: Sha256::new(),
        })
    }

    /// Forgets a package that no function names any more.
    pub fn remove(&self, id: &str) {
        if let Err(error) = self.disk.remove(&self.dir.join(id)) {
            tracing::warn!(package = id, %error, "a package that is not used any more could not be removed");
        }
    }

    /// Removes all packages but those named: what a crash between two steps may have left.
    pub fn keep_only(&self, known: impl Fn(&str) -> bool) -> Result<(), Error> {
        for entry in self
            .disk
            .list(&self.dir)
            .map_err(Error::disk("listing the packages"))?
        {
            if !known(&entry.name) {
                self.remove(&entry.name);
            }
        }
        Ok(())
    }
}

/// A package that is read in pieces.
pub(crate) struct PackageReader {
    file: Box<dyn File>,
    code: Code,
    at: u64,
    hash: Sha256,
}

impl PackageReader {
    /// The next piece; instead of the last one an error, when the whole is not what was uploaded.
    pub fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let left = self.code.size.saturating_sub(self.at);
        let len = left.min(limits::PACKAGE_PIECE_BYTES as u64);
        if len == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; len as usize];
        self.file
            .read_exact_at(&mut piece, self.at)
            .map_err(Error::disk("reading a package"))?;
        self.hash.update(&piece);
        self.at += len;
        let is_whole = self.at == self.code.size;
        if is_whole && STANDARD.encode(self.hash.finalize_reset()) != self.code.sha256 {
            return Err(PackageError::Damaged(self.code.package.clone()).into());
        }
        Ok(Some(piece.into()))
    }
}

/// All of a file, whatever length the system reports for it (files of /proc have none).
pub(crate) fn read_all(file: &dyn File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut filled = 0;
    loop {
        bytes.resize(filled + 64 * 1024, 0);
        match file.read_at(&mut bytes[filled..], filled as u64)? {
            0 => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            n => filled += n,
        }
    }
}

#[cfg(test)]
mod tests {
    use headwater_env::RealDisk;

    use super::*;

    #[test]
    fn a_package_comes_back_or_is_reported_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let packages = Packages::open(Arc::new(RealDisk), dir.path().join("packages")).unwrap();
        let bytes = vec![7; 100_000];
        packages.put("a", &bytes).unwrap();
        let code = Code {
            package: "a".into(),
            sha256: sha256(&bytes),
            size: 100_000,
            unpacked: 0,
        };
        assert_eq!(packages.get(&code).unwrap(), bytes);
        let mut reader = packages.reader(&code).unwrap();
        assert_eq!(reader.next().unwrap().unwrap(), bytes);
        assert_eq!(reader.next(), Ok(None));

        let file = RealDisk.open(&dir.path().join("packages/a")).unwrap();
        file.write_all_at(&[IoSlice::new(&[8])], 0).unwrap();
        let damaged = Err(PackageError::Damaged("a".into()).into());
        assert_eq!(packages.reader(&code).unwrap().next(), damaged);
        file.set_len(99_999).unwrap();
        assert_eq!(
            packages.get(&code),
            Err(PackageError::Damaged("a".into()).into())
        );

        packages.keep_only(|id| id != "a").unwrap();
        assert!(matches!(packages.get(&code), Err(Error::Disk { .. })));
    }
}
