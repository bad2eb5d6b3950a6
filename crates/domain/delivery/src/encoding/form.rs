//! The two forms of objects: records one behind the other, or rows of a table.

use std::sync::Arc;

use bytes::Bytes;
use headwater_columnar::{Deserializer, EncodeError, Schema, Serializer, Writer};

use super::encoder::{Encode, Encoder, encoder};
use crate::{
    budget::{Budget, Reservation},
    config::Compression,
    ports::ObjectsError,
    records::Failure,
};

/// The form of an object.
#[derive(Debug, Clone)]
pub enum Form {
    /// Records as they are, compressed.
    Bytes(Compression),
    /// A file of rows.
    Columns(Arc<Columns>),
}

/// The settings of a columnar file.
#[derive(Debug)]
pub struct Columns {
    /// The table's columns.
    pub schema: Schema,
    /// How records are read.
    pub read: Deserializer,
    /// How files are written.
    pub write: Serializer,
}

impl Form {
    /// An encoder of the object `key`.
    pub fn encoder(&self, key: &str) -> Result<Encoder, ObjectsError> {
        match self {
            Self::Bytes(compression) => {
                Ok(encoder(*compression, name_in_archive(key, *compression)))
            }
            Self::Columns(columns) => {
                let writer = Writer::new(&columns.schema, &columns.read, &columns.write);
                let writer = writer.map_err(|error| ObjectsError::Failed(error.to_string()))?;
                Ok(Encoder::Stream(Box::new(ColumnEncoder(writer))))
            }
        }
    }

    /// Room for an object while it is made, where it is gathered in memory.
    pub async fn room(&self, budget: &Budget) -> Option<Reservation> {
        match self {
            Self::Bytes(_) => None,
            Self::Columns(columns) => Some(budget.file(columns.write.held_bytes()).await),
        }
    }

    /// The `Content-Encoding` that tells a reader how to unpack the object, where there is one; AWS's names, by which
    /// Snappy's two forms are told apart.
    pub fn content_encoding(&self) -> Option<&'static str> {
        match self {
            Self::Bytes(Compression::Gzip) => Some("gzip"),
            Self::Bytes(Compression::Zstd) => Some("zstd"),
            Self::Bytes(Compression::Zip) => Some("zip"),
            Self::Bytes(Compression::Snappy) => Some("snappy-java"),
            Self::Bytes(Compression::HadoopSnappy) => Some("hadoop-snappy"),
            Self::Bytes(Compression::None) | Self::Columns(_) => None,
        }
    }
}

struct ColumnEncoder(Writer);

impl Encode for ColumnEncoder {
    fn add(&mut self, pieces: &[Bytes]) -> Vec<(usize, Failure)> {
        let answers = self.0.write(pieces).into_iter().enumerate();
        let failed = answers.filter_map(|(at, answer)| Some((at, answer.err()?)));
        failed
            .map(|(at, failure)| (at, Failure::new(failure.code, failure.message)))
            .collect()
    }

    fn take(&mut self) -> Result<Bytes, ObjectsError> {
        self.0.take().map_err(not_encoded)
    }

    fn finish(self: Box<Self>) -> Result<Bytes, ObjectsError> {
        self.0.finish().map_err(not_encoded)
    }
}

fn not_encoded(error: EncodeError) -> ObjectsError {
    ObjectsError::Failed(error.to_string())
}

/// The name of the file in an archive: the object's own name without the archive's extension.
fn name_in_archive(key: &str, compression: Compression) -> &str {
    let name = key.rsplit('/').next().unwrap_or(key);
    name.strip_suffix(compression.extension()).unwrap_or(name)
}
