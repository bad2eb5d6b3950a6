//! Reading one blob, by verified blocks. Everything here blocks on the disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use headwater_env::{Disk, File};

use super::format::{self, BLOCK, BlobId, CRC, HEADER, TRAILER};
use crate::ObjectError;

/// A blob being read.
pub struct BlobReader {
    file: Box<dyn File>,
    path: PathBuf,
    id: BlobId,
    size: u64,
}

impl BlobReader {
    /// Opens the blob `id`, which has `size` bytes, in the file `path`.
    pub fn open(disk: &dyn Disk, path: &Path, id: BlobId, size: u64) -> Result<Self, ObjectError> {
        let file = disk
            .open_read(path)
            .map_err(|e| ObjectError::file(path, e))?;
        let reader = Self {
            file,
            path: path.to_owned(),
            id,
            size,
        };
        let header = reader.bytes_at::<{ HEADER as usize }>(0)?;
        format::check_header(&header, id).map_err(|what| reader.damaged(0, what))?;
        let end = format::trailer_offset(size);
        let len = reader.file.len().map_err(|e| ObjectError::file(path, e))?;
        if len != end + TRAILER {
            return Err(reader.damaged(
                len.min(end + TRAILER),
                "the file is not as long as its data says",
            ));
        }
        if reader.bytes_at::<{ TRAILER as usize }>(end)? != format::trailer(id, size) {
            return Err(reader.damaged(end, "the trailer's check fails"));
        }
        Ok(reader)
    }

    /// Data from `from` to `to` at most, and to the end of the block that `from` lies in.
    pub fn read(&self, from: u64, to: u64) -> Result<Bytes, ObjectError> {
        let number = from / BLOCK;
        let data = self.block(number)?;
        let start = number * BLOCK;
        let end = (to - start).min(data.len() as u64);
        Ok(data.slice((from - start) as usize..end as usize))
    }

    fn block(&self, number: u64) -> Result<Bytes, ObjectError> {
        let len = format::block_len(number, self.size) as usize;
        let offset = format::block_offset(number);
        let mut bytes = vec![0; len + CRC as usize];
        self.fill(&mut bytes, offset)?;
        let crc = bytes.split_off(len);
        if crc != format::block_crc(self.id, number, &bytes) {
            return Err(self.damaged(offset, "the block's check fails"));
        }
        Ok(bytes.into())
    }

    fn bytes_at<const N: usize>(&self, offset: u64) -> Result<[u8; N], ObjectError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, offset)?;
        Ok(bytes)
    }

    fn fill(&self, bytes: &mut [u8], offset: u64) -> Result<(), ObjectError> {
        self.file
            .read_exact_at(bytes, offset)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => self.damaged(offset, "the file ends too early"),
                _ => ObjectError::file(&self.path, error),
            })
    }

    fn damaged(&self, offset: u64, what: &'static str) -> ObjectError {
        ObjectError::Damaged {
            file: self.path.display().to_string(),
            offset,
            what,
        }
    }
}
