//! Blobs: the files that hold bytes of objects, written once, encrypted, and verified whenever they are read.
//!
//! `docs/format/objects.md` is the format. Here: the two versions of it, writing, reading, and the folders. Which blobs
//! are whose is not known here.

mod files;
mod format;
mod id;
mod plain;
mod reader;
mod writer;

pub(crate) use files::BlobFiles;
pub(crate) use id::BlobId;
#[cfg(test)]
pub(crate) use plain::file as plain_file;
pub(crate) use reader::BlobReader;
