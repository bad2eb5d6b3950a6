//! Blobs: the files that hold bytes of objects, written once and verified whenever they are read.
//!
//! `docs/format/objects.md` is the format. Here: the format itself, writing, reading, and the folders. Which blobs
//! are whose is not known here.

mod files;
mod format;
mod reader;
mod writer;

pub(crate) use files::BlobFiles;
pub(crate) use format::BlobId;
pub(crate) use reader::BlobReader;
pub(crate) use writer::{BlobWriter, Written};
