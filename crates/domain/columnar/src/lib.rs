//! JSON records written as Parquet and ORC files after a table's columns: format conversion.
//!
//! Pure and synchronous: bytes in, bytes out, and the same bytes for the same records. Owns the column types, how AWS's
//! two deserializers read JSON, and how rows become files. Where records come from, where files go and what becomes of
//! a record that does not fit are `delivery`'s.

mod column;
mod failure;
mod limits;
mod orc;
mod parquet;
mod read;
mod settings;
mod types;
mod writer;

pub use failure::Failure;
pub use settings::{
    Deserializer, Hive, OpenX, Orc, OrcCompression, OrcVersion, Parquet, ParquetCompression,
    ParquetVersion, Serializer, Unsupported,
};
pub use types::{Column, DataType, Schema, SchemaError, TypeError};
pub use writer::{EncodeError, SetupError, Writer};
