//! Converts records to a file: settings as JSON on the first line of the input, a record on each line after it.
//!
//! The file goes to the standard output, what was not converted to standard error, a line each. The suite
//! `conformance/test_columnar.py` reads the files with software of others.

use std::{
    error::Error,
    io::{Read, Write, stderr, stdin, stdout},
};

use bytes::Bytes;
use headwater_columnar::{
    Deserializer, Hive, OpenX, Orc, OrcCompression, OrcVersion, Parquet, ParquetCompression,
    ParquetVersion, Schema, Serializer, Writer,
};
use serde::Deserialize;

/// The columns, the format and its options.
#[derive(Deserialize)]
struct Settings {
    /// Names and types.
    columns: Vec<(String, String)>,
    /// `parquet` or `orc`.
    format: String,
    compression: String,
    /// The Hive deserializer with these formats; OpenX without.
    timestamp_formats: Option<Vec<String>>,
    /// `V2` or `V0_11`.
    version: Option<String>,
    block_size: Option<u64>,
    stripe_size: Option<usize>,
    row_index_stride: Option<usize>,
    max_padding: Option<u64>,
    dictionary: Option<bool>,
    /// Records that are written together.
    batch: Option<usize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut input = Vec::new();
    stdin().read_to_end(&mut input)?;
    let input = Bytes::from(input);
    let mut lines = input
        .split(|byte| *byte == b'\n')
        .map(|line| input.slice_ref(line));
    let settings: Settings = serde_json::from_slice(&lines.next().unwrap_or_default())?;
    let records: Vec<Bytes> = lines.filter(|line| !line.is_empty()).collect();
    convert(&settings, &records)
}

fn convert(settings: &Settings, records: &[Bytes]) -> Result<(), Box<dyn Error>> {
    let schema = Schema::parse(
        settings
            .columns
            .iter()
            .map(|(name, of)| (name.as_str(), of.as_str())),
    )?;
    let deserializer = match &settings.timestamp_formats {
        Some(formats) => Deserializer::Hive(Hive {
            timestamp_formats: formats.clone(),
        }),
        None => Deserializer::OpenX(OpenX::default()),
    };
    let mut writer = Writer::new(&schema, &deserializer, &serializer(settings)?)?;
    for batch in records.chunks(settings.batch.unwrap_or(1000)) {
        for failure in writer.write(batch).into_iter().filter_map(Result::err) {
            writeln!(stderr(), "{failure}")?;
        }
        stdout().write_all(&writer.take()?)?;
    }
    stdout().write_all(&writer.finish()?)?;
    Ok(())
}

fn serializer(settings: &Settings) -> Result<Serializer, Box<dyn Error>> {
    match settings.format.as_str() {
        "parquet" => parquet(settings).map(Serializer::Parquet),
        "orc" => orc(settings).map(Serializer::Orc),
        other => Err(format!("{other} is no format").into()),
    }
}

fn parquet(settings: &Settings) -> Result<Parquet, Box<dyn Error>> {
    let usual = Parquet::default();
    Ok(Parquet {
        compression: match settings.compression.as_str() {
            "UNCOMPRESSED" => ParquetCompression::Uncompressed,
            "GZIP" => ParquetCompression::Gzip,
            "SNAPPY" => ParquetCompression::Snappy,
            other => return Err(format!("{other} is no compression of Parquet").into()),
        },
        writer_version: match settings.version.as_deref() {
            Some("V2") => ParquetVersion::V2,
            _ => ParquetVersion::V1,
        },
        enable_dictionary: settings.dictionary.unwrap_or(usual.enable_dictionary),
        block_size: settings.block_size.unwrap_or(usual.block_size),
        max_padding: settings.max_padding.unwrap_or(usual.max_padding),
        ..usual
    })
}

fn orc(settings: &Settings) -> Result<Orc, Box<dyn Error>> {
    let usual = Orc::default();
    Ok(Orc {
        compression: match settings.compression.as_str() {
            "NONE" => OrcCompression::None,
            "ZLIB" => OrcCompression::Zlib,
            "SNAPPY" => OrcCompression::Snappy,
            other => return Err(format!("{other} is no compression of ORC").into()),
        },
        format_version: match settings.version.as_deref() {
            Some("V0_11") => OrcVersion::V0_11,
            _ => OrcVersion::V0_12,
        },
        dictionary_key_threshold: match settings.dictionary {
            Some(false) => 0.0,
            Some(true) => 1.0,
            None => usual.dictionary_key_threshold,
        },
        stripe_size: settings.stripe_size.unwrap_or(usual.stripe_size),
        row_index_stride: settings.row_index_stride.unwrap_or(usual.row_index_stride),
        enable_padding: settings.block_size.is_some(),
        block_size: settings.block_size.unwrap_or(usual.block_size),
        ..usual
    })
}
