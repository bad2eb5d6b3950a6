//! Format conversion: AWS's configuration into the settings of whoever writes the files. Texts as recorded on AWS by
//! other projects.

use std::fmt::Display;

use headwater_columnar::{
    Deserializer, Hive, OpenX, Orc, OrcCompression, OrcVersion, Parquet, ParquetCompression,
    ParquetVersion, Schema, Serializer, SetupError, Writer,
};
use headwater_delivery::Conversion;
use headwater_shapes_firehose::{
    self as shapes, DataFormatConversionConfiguration, HiveJsonSerDe, InputFormatConfiguration,
    OpenXJsonSerDe, OrcSerDe, OutputFormatConfiguration, ParquetSerDe, SchemaConfiguration,
};
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

/// The conversion that is configured and enabled, as absent `Enabled` says.
pub(super) fn of_configuration(
    given: Option<&DataFormatConversionConfiguration>,
) -> Result<Option<Conversion>, ApiError> {
    let Some(DataFormatConversionConfiguration {
        schema_configuration,
        input_format_configuration,
        output_format_configuration,
        enabled: None | Some(true),
    }) = given
    else {
        return Ok(None);
    };
    let schema = schema_configuration
        .as_ref()
        .ok_or_else(|| missing("SchemaConfiguration"))?;
    let read = deserializer(input_format_configuration.as_ref())?;
    let write = serializer(output_format_configuration.as_ref())?;
    refuse_unsupported(&read, &write)?;
    Ok(Some(conversion(schema, read, write)?))
}

fn deserializer(given: Option<&InputFormatConfiguration>) -> Result<Deserializer, ApiError> {
    let InputFormatConfiguration { deserializer } =
        given.ok_or_else(|| missing("InputFormatConfiguration"))?;
    let shapes::Deserializer {
        open_x_json_ser_de,
        hive_json_ser_de,
    } = deserializer
        .as_ref()
        .ok_or_else(|| missing("Deserializer"))?;
    match (open_x_json_ser_de, hive_json_ser_de) {
        (Some(given), None) => Ok(Deserializer::OpenX(openx(given))),
        (None, Some(HiveJsonSerDe { timestamp_formats })) => Ok(Deserializer::Hive(Hive {
            timestamp_formats: timestamp_formats.clone().unwrap_or_default(),
        })),
        (None, None) => Err(missing("Deserializer")),
        _ => Err(more_than_one("deserializer")),
    }
}

fn serializer(given: Option<&OutputFormatConfiguration>) -> Result<Serializer, ApiError> {
    let OutputFormatConfiguration { serializer } =
        given.ok_or_else(|| missing("OutputFormatConfiguration"))?;
    let shapes::Serializer {
        parquet_ser_de,
        orc_ser_de,
    } = serializer.as_ref().ok_or_else(|| missing("Serializer"))?;
    match (parquet_ser_de, orc_ser_de) {
        (Some(given), None) => Ok(Serializer::Parquet(parquet(given)?)),
        (None, Some(given)) => Ok(Serializer::Orc(orc(given)?)),
        (None, None) => Err(missing("Serializer")),
        _ => Err(more_than_one("serializer")),
    }
}

fn openx(given: &OpenXJsonSerDe) -> OpenX {
    let OpenXJsonSerDe {
        convert_dots_in_json_keys_to_underscores,
        case_insensitive,
        column_to_json_key_mappings,
    } = given;
    OpenX {
        case_insensitive: case_insensitive.unwrap_or(true),
        column_to_json_key_mappings: column_to_json_key_mappings.clone().unwrap_or_default(),
        convert_dots_in_json_keys_to_underscores: convert_dots_in_json_keys_to_underscores
            .unwrap_or(false),
    }
}

fn conversion(
    schema: &SchemaConfiguration,
    read: Deserializer,
    write: Serializer,
) -> Result<Conversion, ApiError> {
    let SchemaConfiguration {
        role_arn,
        catalog_id,
        database_name,
        table_name,
        region,
        version_id,
    } = schema;
    let version = match version_id.as_deref() {
        None | Some("LATEST") => None,
        Some(text) => {
            let invalid =
                || invalid_argument(format!("VersionId must be LATEST or a number: {text}"));
            Some(text.parse().map_err(|_| invalid())?)
        }
    };
    role_arn.as_ref().ok_or_else(|| missing("RoleARN"))?;
    Ok(Conversion {
        database: database_name
            .clone()
            .ok_or_else(|| missing("DatabaseName"))?,
        table: table_name.clone().ok_or_else(|| missing("TableName"))?,
        version,
        region: region.clone().unwrap_or_default(),
        catalog: catalog_id.clone(),
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
    let ParquetSerDe {
        block_size_bytes,
        page_size_bytes,
        compression,
        enable_dictionary_compression,
        max_padding_bytes,
        writer_version,
    } = given;
    let default = Parquet::default();
    Ok(Parquet {
        compression: match compression.as_deref() {
            None => default.compression,
            Some("UNCOMPRESSED") => ParquetCompression::Uncompressed,
            Some("GZIP") => ParquetCompression::Gzip,
            Some("SNAPPY") => ParquetCompression::Snappy,
            Some(other) => return Err(unknown("Compression", other)),
        },
        block_size: number(*block_size_bytes, default.block_size),
        page_size: number(*page_size_bytes, default.page_size),
        enable_dictionary: enable_dictionary_compression.unwrap_or(default.enable_dictionary),
        max_padding: number(*max_padding_bytes, default.max_padding),
        writer_version: match writer_version.as_deref() {
            None => default.writer_version,
            Some("V1") => ParquetVersion::V1,
            Some("V2") => ParquetVersion::V2,
            Some(other) => return Err(unknown("WriterVersion", other)),
        },
    })
}

fn orc(given: &OrcSerDe) -> Result<Orc, ApiError> {
    let OrcSerDe {
        stripe_size_bytes,
        block_size_bytes,
        row_index_stride,
        enable_padding,
        padding_tolerance,
        compression,
        bloom_filter_columns,
        // The filters themselves are refused.
        bloom_filter_false_positive_probability: _,
        dictionary_key_threshold,
        format_version,
    } = given;
    let default = Orc::default();
    Ok(Orc {
        compression: match compression.as_deref() {
            None => default.compression,
            Some("NONE") => OrcCompression::None,
            Some("ZLIB") => OrcCompression::Zlib,
            Some("SNAPPY") => OrcCompression::Snappy,
            Some(other) => return Err(unknown("Compression", other)),
        },
        stripe_size: number(*stripe_size_bytes, default.stripe_size),
        block_size: number(*block_size_bytes, default.block_size),
        row_index_stride: number(*row_index_stride, default.row_index_stride),
        enable_padding: enable_padding.unwrap_or(default.enable_padding),
        padding_tolerance: padding_tolerance.unwrap_or(default.padding_tolerance),
        bloom_filter_columns: bloom_filter_columns.clone().unwrap_or_default(),
        dictionary_key_threshold: dictionary_key_threshold
            .unwrap_or(default.dictionary_key_threshold),
        format_version: match format_version.as_deref() {
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
