//! A file that grows record by record.

use bytes::Bytes;

use crate::{
    column::Column,
    failure::Failure,
    limits, orc, parquet,
    read::Reader,
    settings::{Deserializer, Serializer, Unsupported},
    types::Schema,
};

/// Writes records into one file after a table's columns.
///
/// The same records in the same order make the same bytes, whatever calls they come in and however often `take` is
/// called between. In memory are the rows of one row group or stripe, and what was encoded and not taken.
pub struct Writer {
    reader: Reader,
    columns: Vec<Column>,
    file: File,
    /// Bytes of records since the values were last counted.
    uncounted: usize,
    failed: Option<EncodeError>,
}

/// One or the other; there is one a writer, so their sizes do not matter.
#[allow(clippy::large_enum_variant, reason = "see above")]
enum File {
    Parquet(parquet::File),
    Orc(orc::File),
}

/// The file cannot be written: a fault of the encoder, not of the records.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cannot encode the file: {0}")]
pub struct EncodeError(String);

/// A writer that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// A setting is not supported.
    #[error(transparent)]
    Unsupported(#[from] Unsupported),
    /// The encoder refuses the schema.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Writer {
    /// A writer of an empty file.
    ///
    /// # Errors
    /// On settings that are not supported, by their names.
    pub fn new(
        schema: &Schema,
        deserializer: &Deserializer,
        serializer: &Serializer,
    ) -> Result<Self, SetupError> {
        let reader = Reader::new(schema, deserializer)?;
        let file = match serializer {
            Serializer::Parquet(settings) if settings.padding_max() > limits::PADDING_BYTES_MAX => {
                return Err(Unsupported("MaxPaddingBytes of more than 128 MiB").into());
            }
            Serializer::Parquet(settings) => {
                File::Parquet(parquet::File::new(schema, settings).map_err(encode)?)
            }
            Serializer::Orc(settings) => File::Orc(orc::File::new(schema, settings)?),
        };
        let columns = Column::of_members(&schema.columns);
        Ok(Self {
            reader,
            columns,
            file,
            uncounted: 0,
            failed: None,
        })
    }

    /// Adds records, each with all of its rows or with none: an answer a record, in their order.
    pub fn write(&mut self, records: &[Bytes]) -> Vec<Result<(), Failure>> {
        records
            .iter()
            .map(|record| self.write_one(record))
            .collect()
    }

    fn write_one(&mut self, record: &[u8]) -> Result<(), Failure> {
        self.reader.read(record, &mut self.columns)?;
        self.uncounted += record.len();
        if self.uncounted >= limits::BYTES_BETWEEN_COUNTS {
            self.uncounted = 0;
            if self.columns.iter().map(Column::size).sum::<usize>() >= self.gathers() {
                self.encode();
            }
        }
        Ok(())
    }

    /// Bytes of values after which rows are encoded.
    fn gathers(&self) -> usize {
        match &self.file {
            File::Parquet(_) => limits::ROW_GROUP_BYTES,
            File::Orc(file) => file.next_stripe(),
        }
    }

    /// Encodes the rows in memory. An error is told by `take` and `finish`.
    fn encode(&mut self) {
        if self.columns[0].slots() == 0 {
            return;
        }
        let encoded = match &mut self.file {
            File::Parquet(file) => file.write(&self.columns).map_err(encode),
            File::Orc(file) => {
                file.write(&self.columns);
                Ok(())
            }
        };
        self.columns.iter_mut().for_each(Column::clear);
        if let Err(error) = encoded {
            self.failed.get_or_insert(error);
        }
    }

    /// The bytes that were encoded since the last call: the next part of the file.
    ///
    /// # Errors
    /// When the file cannot be encoded; then none of it is of use.
    pub fn take(&mut self) -> Result<Bytes, EncodeError> {
        self.sound()?;
        match &mut self.file {
            File::Parquet(file) => file.take().map(Bytes::from).map_err(encode),
            File::Orc(file) => Ok(Bytes::from(file.take())),
        }
    }

    /// Encodes what is left, and the end of the file. A file without rows is a file too.
    ///
    /// # Errors
    /// As `take`.
    pub fn finish(mut self) -> Result<Bytes, EncodeError> {
        self.encode();
        self.sound()?;
        match self.file {
            File::Parquet(file) => file.finish().map(Bytes::from).map_err(encode),
            File::Orc(file) => Ok(Bytes::from(file.finish())),
        }
    }

    fn sound(&self) -> Result<(), EncodeError> {
        self.failed.clone().map_or(Ok(()), Err)
    }
}

fn encode(error: impl std::fmt::Display) -> EncodeError {
    EncodeError(error.to_string())
}
