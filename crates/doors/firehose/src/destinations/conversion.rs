//! Format conversion: AWS's configuration into the settings of whoever writes the files. Texts as recorded on AWS by
//! other projects.

use std::fmt::Display;

use headwater_columnar::{
    Deserializer, Hive, OpenX, Orc, OrcCompression, OrcVersion, Parquet, ParquetCompression,
    ParquetVersion, Schema, Serializer, SetupError, Writer,
};
use headwater_delivery::Conversion;
use headwater_shapes_firehose::{
    DataFormatConversionConfiguration, OrcSerDe, ParquetSerDe, SchemaConfiguration,
};
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

/// The conversion that is configured and enabled, as absent `Enabled` says.
pub(super) fn of_configuration(
    given: Option<&DataFormatConversionConfiguration>,
) -> Result<Option<Conversion>, ApiError> {
    let Some(given) = given.filter(|given| given.enabled != Some(false)) else {
        return Ok(None);
    };
    let schema = given
        .schema_configuration
        .as_ref()
        .ok_or_else(|| missing("SchemaConfiguration"))?;
    let input = given
        .input_format_configuration
        .as_ref()
        .ok_or_else(|| missing("InputFormatConfiguration"))?;
    let output = given
        .output_format_configuration
        .as_ref()
        .ok_or_else(|| missing("OutputFormatConfiguration"))?;
    let read = input
        .deserializer
        .as_ref()
        .ok_or_else(|| missing("Deserializer"))?;
    let read = match (&read.open_x_json_ser_de, &read.hive_json_ser_de) {
        (Some(given), None) => Deserializer::OpenX(OpenX {
            case_insensitive: given.case_insensitive.unwrap_or(true),
            column_to_json_key_mappings: given
                .column_to_json_key_mappings
                .clone()
                .unwrap_or_default(),
            convert_dots_in_json_keys_to_underscores: given
                .convert_dots_in_json_keys_to_underscores
                .unwrap_or(false),
        }),
        (None, Some(given)) => Deserializer::Hive(Hive {
            timestamp_formats: given.timestamp_formats.clone().unwrap_or_default(),
        }),
        (None, None) => return Err(missing("Deserializer")),
        _ => return Err(more_than_one("deserializer")),
    };
    let write = output
        .serializer
        .as_ref()
        .ok_or_else(|| missing("Serializer"))?;
    let write = match (&write.parquet_ser_de, &write.orc_ser_de) {
        (Some(given), None) => Serializer::Parquet(parquet(given)?),
        (None, Some(given)) => Serializer::Orc(orc(given)?),
        (None, None) => return Err(missing("Serializer")),
        _ => return Err(more_than_one("serializer")),
    };
    refuse_unsupported(&read, &write)?;
    Ok(Some(conversion(schema, read, write)?))
}

fn conversion(
    schema: &SchemaConfiguration,
    read: Deserializer,
    write: Serializer,
) -> Result<Conversion, ApiError> {
    let version = match schema.version_id.as_deref() {
        None | Some("LATEST") => None,
        Some(text) => {
            let invalid =
                || invalid_argument(format!("VersionId must be LATEST or a number: {text}"));
            Some(text.parse().map_err(|_| invalid())?)
        }
    };
    schema.role_arn.as_ref().ok_or_else(|| missing("RoleARN"))?;
    Ok(Conversion {
        database: schema
            .database_name
            .clone()
            .ok_or_else(|| missing("DatabaseName"))?,
        table: schema
            .table_name
            .clone()
            .ok_or_else(|| missing("TableName"))?,
        version,
        region: schema.region.clone().unwrap_or_default(),
        catalog: schema.catalog_id.clone(),
        read,
        write,
    })
}

/// Settings that the writer refuses are refused before there is a delivery stream that would wait for ever.
fn refuse_unsupported(read: &Deserializer, write: &Serializer) -> Result<(), ApiError> {
    let schema = Schema::parse([("column", "int")]).map_err(ApiError::internal)?;
    match Writer::new(&schema, read, write) {
        Ok(_) => Ok(()),
        Err(SetupError::Unsupported(what)) => Err(ApiError::not_supported(what.0)),
        Err(error @ SetupError::Encode(_)) => Err(ApiError::internal(error)),
    }
}

fn parquet(given: &ParquetSerDe) -> Result<Parquet, ApiError> {
    let default = Parquet::default();
    Ok(Parquet {
        compression: match given.compression.as_deref() {
            None => default.compression,
            Some("UNCOMPRESSED") => ParquetCompression::Uncompressed,
            Some("GZIP") => ParquetCompression::Gzip,
            Some("SNAPPY") => ParquetCompression::Snappy,
            Some(other) => return Err(unknown("Compression", other)),
        },
        block_size: number(given.block_size_bytes, default.block_size),
        page_size: number(given.page_size_bytes, default.page_size),
        enable_dictionary: given
            .enable_dictionary_compression
            .unwrap_or(default.enable_dictionary),
        max_padding: number(given.max_padding_bytes, default.max_padding),
        writer_version: match given.writer_version.as_deref() {
            None => default.writer_version,
            Some("V1") => ParquetVersion::V1,
            Some("V2") => ParquetVersion::V2,
            Some(other) => return Err(unknown("WriterVersion", other)),
        },
    })
}

fn orc(given: &OrcSerDe) -> Result<Orc, ApiError> {
    let default = Orc::default();
    Ok(Orc {
        compression: match given.compression.as_deref() {
            None => default.compression,
            Some("NONE") => OrcCompression::None,
            Some("ZLIB") => OrcCompression::Zlib,
            Some("SNAPPY") => OrcCompression::Snappy,
            Some(other) => return Err(unknown("Compression", other)),
        },
        stripe_size: number(given.stripe_size_bytes, default.stripe_size),
        block_size: number(given.block_size_bytes, default.block_size),
        row_index_stride: number(given.row_index_stride, default.row_index_stride),
        enable_padding: given.enable_padding.unwrap_or(default.enable_padding),
        padding_tolerance: given.padding_tolerance.unwrap_or(default.padding_tolerance),
        bloom_filter_columns: given.bloom_filter_columns.clone().unwrap_or_default(),
        dictionary_key_threshold: given
            .dictionary_key_threshold
            .unwrap_or(default.dictionary_key_threshold),
        format_version: match given.format_version.as_deref() {
            None => default.format_version,
            Some("V0_11") => OrcVersion::V0_11,
            Some("V0_12") => OrcVersion::V0_12,
            Some(other) => return Err(unknown("FormatVersion", other)),
        },
    })
}

fn number<T: TryFrom<i32>>(given: Option<i32>, default: T) -> T {
    given
        .and_then(|number| T::try_from(number).ok())
        .unwrap_or(default)
}

fn missing(what: &str) -> ApiError {
    invalid_argument(format!("{what} must not be null"))
}

fn more_than_one(what: &str) -> ApiError {
    invalid_argument(format!(
        "More than one {what} specified. Only one may be chosen."
    ))
}

fn unknown(what: &str, value: impl Display) -> ApiError {
    invalid_argument(format!("{what} {value} is not known."))
}
