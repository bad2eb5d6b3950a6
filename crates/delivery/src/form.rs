//! What objects are made of: records one behind the other.

use crate::{
    config::Compression,
    encode::{Encode, encoder},
    ports::ObjectsError,
};

/// What an object is made of.
#[derive(Debug, Clone)]
pub enum Form {
    /// Records as they are, compressed.
    Bytes(Compression),
}

impl Form {
    /// An encoder of the object `key`.
    pub fn encoder(&self, key: &str) -> Result<Box<dyn Encode>, ObjectsError> {
        match self {
            Self::Bytes(compression) => Ok(encoder(*compression, name_in_archive(key, *compression))),
        }
    }

    /// The `Content-Encoding` that tells a browser how to unpack the object, where there is one.
    pub fn content_encoding(&self) -> Option<&'static str> {
        match self {
            Self::Bytes(Compression::Gzip) => Some("gzip"),
            Self::Bytes(Compression::Zstd) => Some("zstd"),
            Self::Bytes(_) => None,
        }
    }
}

/// What an archive calls the file in it: the object's own name without the archive's extension.
fn name_in_archive(key: &str, compression: Compression) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.strip_suffix(compression.extension()).unwrap_or(name)
}
