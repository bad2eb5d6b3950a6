//! How records are read and how files are written: the settings, with their defaults.
//!
//! Owns what can be chosen and what of it is not supported. Smallest and largest sizes are the door's to hold.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;

/// How the JSON of a record becomes a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deserializer {
    /// Lenient: numbers in strings, one value for an array, an array for a struct.
    OpenX(OpenX),
    /// Strict, with formats for dates and timestamps.
    Hive(Hive),
}

/// Settings of the OpenX deserializer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct OpenX {
    /// JSON keys are read in lower case, at every depth.
    pub case_insensitive: bool,
    /// The JSON key of a column, where that is not its name.
    pub column_to_json_key_mappings: BTreeMap<String, String>,
    /// Dots in JSON keys are read as underscores.
    pub convert_dots_in_json_keys_to_underscores: bool,
}

impl Default for OpenX {
    fn default() -> Self {
        Self {
            case_insensitive: true,
            column_to_json_key_mappings: BTreeMap::new(),
            convert_dots_in_json_keys_to_underscores: false,
        }
    }
}

/// Settings of the Hive deserializer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Hive {
    /// Joda-Time patterns or `millis`, tried in this order before `yyyy-MM-dd HH:mm:ss.SSS`.
    pub timestamp_formats: Vec<String>,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Serializer {
    /// Apache Parquet.
    Parquet(Parquet),
    /// Apache ORC.
    Orc(Orc),
}

impl Serializer {
    /// Bytes that a [`Writer`](crate::Writer) holds at the most, about: the values that it gathers, the same once
    /// they are encoded, and what they are padded with.
    pub fn held_bytes(&self) -> usize {
        let (gathered, padding) = match self {
            Self::Parquet(settings) => (limits::ROW_GROUP_BYTES, settings.padding_max() as usize),
            Self::Orc(settings) => (settings.stripe_size, settings.padding_max() as usize),
        };
        2 * gathered + padding
    }
}

/// Settings of Parquet files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Parquet {
    /// How pages are compressed.
    pub compression: ParquetCompression,
    /// Bytes of a block of the file system that the file may be copied to; used for padding alone.
    pub block_size: u64,
    /// Bytes of a page before compression, about.
    pub page_size: usize,
    /// Repeated values are written once.
    pub enable_dictionary: bool,
    /// Most bytes of padding in front of a row group, so that it starts with a block.
    pub max_padding: u64,
    /// The version of pages and encodings.
    pub writer_version: ParquetVersion,
}

impl Parquet {
    /// Bytes of zeros in front of a row group, at the most.
    pub(crate) fn padding_max(&self) -> u64 {
        self.max_padding.min(self.block_size)
    }
}

impl Default for Parquet {
    fn default() -> Self {
        Self {
            compression: ParquetCompression::Snappy,
            block_size: 256 * 1024 * 1024,
            page_size: 1024 * 1024,
            enable_dictionary: true,
            max_padding: 0,
            writer_version: ParquetVersion::V1,
        }
    }
}

/// Compression of Parquet's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum ParquetCompression {
    Uncompressed,
    Gzip,
    Snappy,
}

/// Version of Parquet's pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum ParquetVersion {
    V1,
    V2,
}

/// Settings of ORC files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Orc {
    /// How streams are compressed.
    pub compression: OrcCompression,
    /// Bytes of values in a stripe, about.
    pub stripe_size: usize,
    /// Bytes of a block of the file system that the file may be copied to; used for padding alone.
    pub block_size: u64,
    /// Rows between two entries of the row index.
    pub row_index_stride: usize,
    /// Stripes are padded to the ends of blocks.
    pub enable_padding: bool,
    /// The part of a stripe that may be lost to padding.
    pub padding_tolerance: f64,
    /// Columns with Bloom filters: not supported.
    pub bloom_filter_columns: Vec<String>,
    /// Distinct values of a stripe's strings, as a part of all of them, up to which they are written as a dictionary.
    pub dictionary_key_threshold: f64,
    /// The version of encodings.
    pub format_version: OrcVersion,
}

impl Orc {
    /// Bytes of a block that may be lost to padding.
    pub(crate) fn padding_max(&self) -> u64 {
        (self.padding_tolerance * self.stripe_size as f64) as u64
    }
}

impl Default for Orc {
    fn default() -> Self {
        Self {
            compression: OrcCompression::Snappy,
            stripe_size: 64 * 1024 * 1024,
            block_size: 256 * 1024 * 1024,
            row_index_stride: 10_000,
            enable_padding: false,
            padding_tolerance: 0.05,
            bloom_filter_columns: Vec::new(),
            dictionary_key_threshold: 0.8,
            format_version: OrcVersion::V0_12,
        }
    }
}

/// Compression of ORC's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum OrcCompression {
    None,
    Zlib,
    Snappy,
}

/// Version of ORC's encodings: those of Hive 0.11 or of Hive 0.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "their names say it")]
pub enum OrcVersion {
    V0_11,
    V0_12,
}

/// A setting that is not supported, by its name in AWS's model and in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not supported: {0}")]
pub struct Unsupported(pub &'static str);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Schema, SetupError, Writer};

    const MIB: usize = 1024 * 1024;

    #[test]
    fn what_would_take_too_much_memory_is_refused_by_its_name() {
        let schema = Schema::parse([("a", "int")]).unwrap();
        let refused = |write: &Serializer| match Writer::new(
            &schema,
            &Deserializer::OpenX(OpenX::default()),
            write,
        ) {
            Err(SetupError::Unsupported(Unsupported(name))) => Some(name),
            _ => None,
        };
        let orc = |stripe_size| {
            Serializer::Orc(Orc {
                stripe_size,
                ..Orc::default()
            })
        };
        assert_eq!(refused(&orc(128 * MIB)), None);
        assert_eq!(
            refused(&orc(128 * MIB + 1)),
            Some("StripeSizeBytes of more than 128 MiB")
        );
        let parquet = |max_padding, block_size: usize| {
            Serializer::Parquet(Parquet {
                max_padding,
                block_size: block_size as u64,
                ..Parquet::default()
            })
        };
        assert_eq!(refused(&parquet(u64::MAX, 128 * MIB)), None);
        assert_eq!(
            refused(&parquet(u64::MAX, 256 * MIB)),
            Some("MaxPaddingBytes of more than 128 MiB")
        );
        assert_eq!(parquet(u64::MAX, 64 * MIB).held_bytes(), 128 * MIB);
        assert!(orc(128 * MIB).held_bytes() < 263 * MIB);
    }

    /// A file of rows of text, none like another.
    fn file(write: &Serializer) -> bytes::Bytes {
        let schema = Schema::parse([("a", "string")]).unwrap();
        let mut writer =
            Writer::new(&schema, &Deserializer::OpenX(OpenX::default()), write).unwrap();
        let row = |n: u64| {
            format!(
                r#"{{"a": "{:0100}"}}"#,
                n.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            )
            .into()
        };
        // Values that are gathered are counted after some hundred thousand bytes.
        for group in 0..20 {
            let rows: Vec<_> = (0..3000).map(|n| row(group * 3000 + n)).collect();
            assert!(writer.write(&rows).iter().all(Result::is_ok));
        }
        writer.finish().unwrap()
    }

    #[test]
    fn pages_of_parquet_have_their_size() {
        use ::parquet::file::reader::{FileReader, SerializedFileReader};
        let pages = |page_size| {
            let settings = Parquet {
                page_size,
                enable_dictionary: false,
                ..Parquet::default()
            };
            let reader = SerializedFileReader::new(file(&Serializer::Parquet(settings))).unwrap();
            reader
                .get_row_group(0)
                .unwrap()
                .get_column_page_reader(0)
                .unwrap()
                .count()
        };
        // 6 MB of text, and the size is looked at every 1,024 rows, which are 106 kB.
        let counts = [MIB, MIB / 4, 64 * 1024].map(pages);
        assert!(
            (5..=7).contains(&counts[0]) && (20..=30).contains(&counts[1]) && counts[2] > 50,
            "{counts:?}"
        );
    }

    #[test]
    fn stripes_of_orc_are_padded_as_far_as_is_tolerated() {
        let length = |enable_padding, padding_tolerance| {
            let settings = Orc {
                compression: OrcCompression::None,
                dictionary_key_threshold: 0.0,
                stripe_size: 500_000,
                block_size: 700_000,
                enable_padding,
                padding_tolerance,
                ..Orc::default()
            };
            file(&Serializer::Orc(settings)).len()
        };
        let lengths = [(false, 0.9), (true, 0.0), (true, 0.9)]
            .map(|(padding, tolerance)| length(padding, tolerance));
        assert!(
            lengths[2] > lengths[1] && lengths[2] > lengths[0] + 100_000,
            "{lengths:?}"
        );
    }
}
