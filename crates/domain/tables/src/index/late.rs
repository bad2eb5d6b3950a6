//! An index that is opened once there is something to keep: every region has one, and most regions have no tables.

use std::{
    io::ErrorKind,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use headwater_env::Disk;
use parking_lot::Mutex;

use super::{Batch, FjallIndex, Index, Lookup, View, memory::Map};
use crate::Error;

/// An index in a folder, which is made with the first row.
pub struct LateIndex {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    opened: OnceLock<FjallIndex>,
    /// Held while it is opened.
    opening: Mutex<()>,
}

impl LateIndex {
    /// Opens the index in `folder`, where it is there. Waits for the disk.
    ///
    /// # Errors
    /// As [`FjallIndex::open`].
    pub fn open(disk: Arc<dyn Disk>, folder: PathBuf) -> Result<Self, Error> {
        let is_there = match disk.list(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(Error::Index(error.to_string().into())),
            Ok(_) => true,
        };
        let index = Self {
            disk,
            folder,
            opened: OnceLock::new(),
            opening: Mutex::new(()),
        };
        if is_there {
            index.opened()?;
        }
        Ok(index)
    }

    fn opened(&self) -> Result<&FjallIndex, Error> {
        if let Some(index) = self.opened.get() {
            return Ok(index);
        }
        let _one_opens = self.opening.lock();
        if let Some(index) = self.opened.get() {
            return Ok(index);
        }
        let index = FjallIndex::open(&*self.disk, &self.folder)?;
        Ok(self.opened.get_or_init(|| index))
    }
}

impl Lookup for LateIndex {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        self.opened.get().map_or(Ok(None), |index| index.get(key))
    }
}

impl Index for LateIndex {
    fn view(&self) -> Box<dyn View> {
        match self.opened.get() {
            Some(index) => index.view(),
            None => Box::new(Map::default()),
        }
    }

    fn write(&self, batch: Batch) -> Result<(), Error> {
        match batch.is_empty() {
            true => Ok(()),
            false => self.opened()?.write(batch),
        }
    }

    fn sync(&self) -> Result<(), Error> {
        self.opened.get().map_or(Ok(()), Index::sync)
    }

    fn health(&self) -> Result<(), Error> {
        self.opened.get().map_or(Ok(()), Index::health)
    }
}
