//! Writing one blob. Everything here blocks on the disk.

use std::{io::IoSlice, path::PathBuf, sync::Arc};

use headwater_env::{Disk, File};

use super::format::{self, BLOCK, BlobId};
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
    size: u64,
    digests: Digests,
}

/// A blob that is whole and durable.
pub struct Written {
    /// Its id.
    pub id: BlobId,
    /// Its bytes.
    pub size: u64,
    /// What they are.
    pub digests: Digested,
}

impl BlobWriter {
    /// Begins the blob `id` in the file `path`, whose folder is there.
    pub fn create(
        disk: Arc<dyn Disk>,
        path: PathBuf,
        id: BlobId,
        digests: Digests,
    ) -> Result<Self, ObjectError> {
        let write = || {
            let file = disk.create(&path)?;
            file.write_all_at(&[IoSlice::new(&format::header(id))], 0)?;
            Ok(file)
        };
        let file = write().map_err(|e| ObjectError::file(&path, e))?;
        Ok(Self {
            file,
            disk,
            path,
            id,
            size: 0,
            digests,
        })
    }

    /// Appends a block; every one but the last has just `BLOCK` bytes.
    pub fn block(&mut self, data: &[u8]) -> Result<(), ObjectError> {
        debug_assert!(
            self.size.is_multiple_of(BLOCK) && data.len() as u64 <= BLOCK && !data.is_empty()
        );
        let number = self.size / BLOCK;
        self.digests.update(data);
        let crc = format::block_crc(self.id, number, data);
        self.file
            .write_all_at(
                &[IoSlice::new(data), IoSlice::new(&crc)],
                format::block_offset(number),
            )
            .map_err(|e| ObjectError::file(&self.path, e))?;
        self.size += data.len() as u64;
        Ok(())
    }

    /// Ends the blob and makes it durable, its name too.
    pub fn finish(self) -> Result<Written, ObjectError> {
        let sync = || {
            let trailer = format::trailer(self.id, self.size);
            self.file
                .write_all_at(&[IoSlice::new(&trailer)], format::trailer_offset(self.size))?;
            self.file.sync()?;
            self.disk
                .sync_dir(self.path.parent().expect("a blob lies in a folder"))
        };
        sync().map_err(|e| ObjectError::file(&self.path, e))?;
        Ok(Written {
            id: self.id,
            size: self.size,
            digests: self.digests.finish(),
        })
    }
}
