//! Reading one blob, by verified segments. Everything here blocks on the disk.

use std::{
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use headwater_env::{Disk, File, buffers};
use headwater_sealing::{InstallationKey, SegmentKey};

use super::{
    format::{self, SEGMENT},
    id::BlobId,
    plain,
};
use crate::ObjectError;

/// A blob being read.
pub struct BlobReader {
    file: Box<dyn File>,
    path: PathBuf,
    id: BlobId,
    size: u64,
    /// None for a blob of version 1, which is not encrypted.
    key: Option<SegmentKey>,
}

impl BlobReader {
    /// Opens the blob `id`, which has `size` bytes of data, in the file `path`.
    pub fn open(
        disk: &dyn Disk,
        path: &Path,
        id: BlobId,
        size: u64,
        key: &InstallationKey,
    ) -> Result<Self, ObjectError> {
        let file = disk
            .open_read(path)
            .map_err(|e| ObjectError::file(path, e))?;
        let mut reader = Self {
            file,
            path: path.to_owned(),
            id,
            size,
            key: None,
        };
        // No file of either version is shorter than this.
        let header = reader.bytes_at::<{ format::HEADER as usize }>(0)?;
        let wrong_header = |what| reader.damaged(0, what);
        if format::version(&header).map_err(wrong_header)? == plain::VERSION {
            reader.check_plain(&header)?;
        } else {
            format::check_header(&header, id, key.id()).map_err(wrong_header)?;
            reader.check_len(format::file_len(size))?;
            reader.key = Some(SegmentKey::new(key, id.0));
        }
        Ok(reader)
    }

    /// Data from `from` to `to` at most, and to the end of the segment that `from` lies in.
    pub fn read(&self, from: u64, to: u64) -> Result<Bytes, ObjectError> {
        let number = from / SEGMENT;
        let data = match &self.key {
            Some(key) => self.segment(key, number)?,
            None => self.block(number)?,
        };
        let start = number * SEGMENT;
        let end = (to - start).min(data.len() as u64);
        Ok(buffers::share(data).slice((from - start) as usize..end as usize))
    }

    fn segment(&self, key: &SegmentKey, number: u64) -> Result<Vec<u8>, ObjectError> {
        let len = format::segment_len(number, self.size) + format::TAG;
        let offset = format::segment_offset(number);
        let mut segment = buffers::of_length(len as usize);
        self.fill(&mut segment, offset)?;
        let is_last = number == format::last_segment(self.size);
        key.open(number, is_last, &mut segment)
            .map_err(|_| self.damaged(offset, "the segment's tag does not hold"))?;
        Ok(segment)
    }

    /// The header, length and trailer of a blob of version 1.
    fn check_plain(&self, header: &[u8; format::HEADER as usize]) -> Result<(), ObjectError> {
        let (header, _) = header
            .split_first_chunk()
            .expect("the header of version 1 is shorter");
        plain::check_header(header, self.id).map_err(|what| self.damaged(0, what))?;
        let end = plain::trailer_offset(self.size);
        self.check_len(end + plain::TRAILER)?;
        let trailer = self.bytes_at::<{ plain::TRAILER as usize }>(end)?;
        if trailer != plain::trailer(self.id, self.size) {
            return Err(self.damaged(end, "the trailer's check fails"));
        }
        Ok(())
    }

    /// A block of a blob of version 1.
    fn block(&self, number: u64) -> Result<Vec<u8>, ObjectError> {
        let len = format::segment_len(number, self.size) as usize;
        let offset = plain::block_offset(number);
        let mut block = buffers::of_length(len + plain::CRC as usize);
        self.fill(&mut block, offset)?;
        if block[len..] != plain::block_crc(self.id, number, &block[..len]) {
            return Err(self.damaged(offset, "the block's check fails"));
        }
        block.truncate(len);
        Ok(block)
    }

    fn check_len(&self, expected: u64) -> Result<(), ObjectError> {
        let len = self
            .file
            .len()
            .map_err(|e| ObjectError::file(&self.path, e))?;
        if len != expected {
            let what = "the file is not as long as its data says";
            return Err(self.damaged(len.min(expected), what));
        }
        Ok(())
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
