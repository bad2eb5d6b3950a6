//! Writing one blob. Everything here blocks on the disk.

use std::{io, io::IoSlice, path::PathBuf, sync::Arc};

use headwater_env::{Disk, File, buffers};
use headwater_sealing::{InstallationKey, SegmentKey};

use super::{
    format::{self, SEGMENT},
    id::BlobId,
};
use crate::{
    ObjectError,
    checksum::{Digested, Digests},
};

/// A blob being written.
pub struct BlobWriter {
    file: Box<dyn File>,
    disk: Arc<dyn Disk>,
    path: PathBuf,
    id: BlobId,
    key: SegmentKey,
    /// Bytes of data so far.
    size: u64,
    digests: Digests,
}

/// A blob that is whole and durable.
pub struct Written {
    /// Its id.
    pub id: BlobId,
    /// Its bytes of data.
    pub size: u64,
    /// The digests of its data.
    pub digests: Digested,
}

impl BlobWriter {
    /// Begins the blob `id` in the file `path`, whose folder is there.
    pub fn create(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        id: BlobId,
        key: &InstallationKey,
        digests: Digests,
    ) -> Result<Self, ObjectError> {
        let header = format::header(id, key.id());
        let write = || {
            let file = disk.create(&path)?;
            file.write_all_at(&[IoSlice::new(&header)], 0)?;
            Ok(file)
        };
        let file = write().map_err(|e| ObjectError::file(&path, e))?;
        Ok(Self {
            file,
            disk,
            path,
            id,
            key: SegmentKey::new(key, id.0),
            size: 0,
            digests,
        })
    }

    /// Appends a segment that is not the last, and so has just `SEGMENT` bytes; it comes back empty.
    pub fn append(&mut self, segment: &mut Vec<u8>) -> Result<(), ObjectError> {
        debug_assert!(segment.len() as u64 == SEGMENT);
        self.write(segment, false)
            .map_err(|e| ObjectError::file(&self.path, e))?;
        segment.clear();
        Ok(())
    }

    /// Appends the last segment, which is empty in an empty blob alone, and makes the blob durable, its name too.
    pub fn finish(mut self, mut last: Vec<u8>) -> Result<Written, ObjectError> {
        let mut end = || {
            self.write(&mut last, true)?;
            self.file.sync()?;
            self.disk
                .sync_dir(self.path.parent().expect("a blob lies in a folder"))
        };
        end().map_err(|e| ObjectError::file(&self.path, e))?;
        buffers::give(last);
        Ok(Written {
            id: self.id,
            size: self.size,
            digests: self.digests.finish(),
        })
    }

    /// Encrypts a segment in place and writes it.
    fn write(&mut self, segment: &mut Vec<u8>, is_last: bool) -> io::Result<()> {
        let number = self.size / SEGMENT;
        self.size += segment.len() as u64;
        self.digests.update(segment);
        self.key.seal(number, is_last, segment);
        self.file
            .write_all_at(&[IoSlice::new(segment)], format::segment_offset(number))
    }
}
