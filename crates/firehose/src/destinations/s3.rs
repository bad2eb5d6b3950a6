//! S3 destinations: AWS's configuration into the domain's, and its description. What is not built is refused by
//! name, unless it says what is the case anyway.

use headwater_delivery::{Buffering, Compression, Destination, Logging, StreamRecord};
use headwater_shapes::firehose::{
    BufferingHints, CloudWatchLoggingOptions, DestinationDescription, EncryptionConfiguration,
    ExtendedS3DestinationConfiguration, ExtendedS3DestinationDescription, ExtendedS3DestinationUpdate,
    S3DestinationConfiguration, S3DestinationDescription, S3DestinationUpdate,
};
use headwater_types::Arn;
use headwater_wire::ApiError;

use super::refuse;
use crate::{errors::invalid_argument, processing};

const SIZE_MIB: i32 = 5;
const INTERVAL_S: i32 = 300;

/// The configuration of the older, smaller form.
pub(crate) fn extended(simple: S3DestinationConfiguration) -> ExtendedS3DestinationConfiguration {
    ExtendedS3DestinationConfiguration {
        role_arn: simple.role_arn,
        bucket_arn: simple.bucket_arn,
        prefix: simple.prefix,
        error_output_prefix: simple.error_output_prefix,
        buffering_hints: simple.buffering_hints,
        compression_format: simple.compression_format,
        encryption_configuration: simple.encryption_configuration,
        cloud_watch_logging_options: simple.cloud_watch_logging_options,
        ..Default::default()
    }
}

/// The destination of `stream` with what an update specifies.
pub(crate) fn updated(
    stream: &StreamRecord,
    update: ExtendedS3DestinationUpdate,
) -> Result<Destination, ApiError> {
    refuse(&[(update.s3_backup_update.is_some(), "S3BackupUpdate")])?;
    of_configuration(merged(described(stream)?, update))
}

/// The update of the older, smaller form.
pub(crate) fn extended_update(simple: S3DestinationUpdate) -> ExtendedS3DestinationUpdate {
    ExtendedS3DestinationUpdate {
        role_arn: simple.role_arn,
        bucket_arn: simple.bucket_arn,
        prefix: simple.prefix,
        error_output_prefix: simple.error_output_prefix,
        buffering_hints: simple.buffering_hints,
        compression_format: simple.compression_format,
        encryption_configuration: simple.encryption_configuration,
        cloud_watch_logging_options: simple.cloud_watch_logging_options,
        ..Default::default()
    }
}

/// What is described, as a configuration, with the members of an update in place of its own.
fn merged(
    old: ExtendedS3DestinationDescription,
    new: ExtendedS3DestinationUpdate,
) -> ExtendedS3DestinationConfiguration {
    let hints = new.buffering_hints.unwrap_or_default();
    ExtendedS3DestinationConfiguration {
        role_arn: new.role_arn.unwrap_or(old.role_arn),
        bucket_arn: new.bucket_arn.unwrap_or(old.bucket_arn),
        prefix: new.prefix.or(old.prefix),
        error_output_prefix: new.error_output_prefix.or(old.error_output_prefix),
        buffering_hints: Some(BufferingHints {
            size_in_mbs: hints.size_in_mbs.or(old.buffering_hints.size_in_mbs),
            interval_in_seconds: hints.interval_in_seconds.or(old.buffering_hints.interval_in_seconds),
        }),
        compression_format: Some(new.compression_format.unwrap_or(old.compression_format)),
        encryption_configuration: Some(new.encryption_configuration.unwrap_or(old.encryption_configuration)),
        cloud_watch_logging_options: new.cloud_watch_logging_options.or(old.cloud_watch_logging_options),
        processing_configuration: new.processing_configuration.or(old.processing_configuration),
        s3_backup_mode: new.s3_backup_mode.or(old.s3_backup_mode),
        s3_backup_configuration: None,
        data_format_conversion_configuration: new
            .data_format_conversion_configuration
            .or(old.data_format_conversion_configuration),
        dynamic_partitioning_configuration: new
            .dynamic_partitioning_configuration
            .or(old.dynamic_partitioning_configuration),
        file_extension: new.file_extension.or(old.file_extension),
        custom_time_zone: new.custom_time_zone.or(old.custom_time_zone),
    }
}

/// The destination that a configuration makes.
pub(crate) fn of_configuration(given: ExtendedS3DestinationConfiguration) -> Result<Destination, ApiError> {
    refuse_settings(&given)?;
    let hints = given.buffering_hints.clone().unwrap_or_default();
    let (size, interval) =
        (hints.size_in_mbs.unwrap_or(SIZE_MIB), hints.interval_in_seconds.unwrap_or(INTERVAL_S));
    let compression_format = given.compression_format.clone().unwrap_or_else(|| "UNCOMPRESSED".to_owned());
    let compression = match compression_format.as_str() {
        "UNCOMPRESSED" => Compression::None,
        "GZIP" => Compression::Gzip,
        other => return Err(ApiError::not_supported(format_args!("CompressionFormat {other}"))),
    };
    let (processing_configuration, steps) =
        processing::normalize(given.processing_configuration.clone(), &given.role_arn)?;
    let logging = logging(given.cloud_watch_logging_options.as_ref())?;
    let described = ExtendedS3DestinationDescription {
        role_arn: given.role_arn.clone(),
        bucket_arn: given.bucket_arn.clone(),
        prefix: given.prefix.clone(),
        error_output_prefix: given.error_output_prefix.clone(),
        buffering_hints: BufferingHints { size_in_mbs: Some(size), interval_in_seconds: Some(interval) },
        compression_format,
        encryption_configuration: EncryptionConfiguration {
            no_encryption_config: Some("NoEncryption".to_owned()),
            ..Default::default()
        },
        cloud_watch_logging_options: Some(described_logging(given.cloud_watch_logging_options)),
        processing_configuration,
        s3_backup_mode: Some("Disabled".to_owned()),
        data_format_conversion_configuration: given.data_format_conversion_configuration,
        dynamic_partitioning_configuration: given.dynamic_partitioning_configuration,
        file_extension: given.file_extension.clone(),
        custom_time_zone: given.custom_time_zone.clone(),
        ..Default::default()
    };
    Ok(Destination {
        bucket: bucket(&given.bucket_arn)?,
        role: given.role_arn,
        prefix: given.prefix,
        error_prefix: given.error_output_prefix,
        time_zone: given.custom_time_zone,
        key_template: None,
        target: headwater_delivery::Target::Bucket,
        error_bucket: None,
        steps,
        extension: given.file_extension,
        buffering: Buffering { size_mib: size.unsigned_abs(), interval_s: interval.unsigned_abs() },
        compression,
        logging,
        described: serde_json::to_value(described).map_err(ApiError::internal)?,
    })
}

fn refuse_settings(given: &ExtendedS3DestinationConfiguration) -> Result<(), ApiError> {
    let backup = given.s3_backup_mode.as_deref().is_some_and(|mode| mode != "Disabled");
    let encryption = given.encryption_configuration.as_ref();
    let conversion = given.data_format_conversion_configuration.as_ref();
    let partitioning = given.dynamic_partitioning_configuration.as_ref();
    refuse(&[
        (backup, "S3BackupMode Enabled"),
        (given.s3_backup_configuration.is_some(), "S3BackupConfiguration"),
        (encryption.is_some_and(|e| e.kms_encryption_config.is_some()), "KMSEncryptionConfig"),
        // AWS takes an absent Enabled for true.
        (conversion.is_some_and(|c| c.enabled != Some(false)), "DataFormatConversionConfiguration"),
        (partitioning.is_some_and(|p| p.enabled == Some(true)), "DynamicPartitioningConfiguration"),
    ])
}

/// The bucket that an ARN names.
pub(crate) fn bucket(arn: &str) -> Result<String, ApiError> {
    let parsed: Arn = arn.parse().map_err(|_| invalid_argument(format!("Invalid BucketARN: {arn}")))?;
    Ok(parsed.resource)
}

/// Where errors are logged, if they are.
pub(crate) fn logging(given: Option<&CloudWatchLoggingOptions>) -> Result<Option<Logging>, ApiError> {
    let Some(given) = given.filter(|given| given.enabled == Some(true)) else { return Ok(None) };
    let name = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    match (name(&given.log_group_name), name(&given.log_stream_name)) {
        (Some(group), Some(stream)) => Ok(Some(Logging { group, stream })),
        _ => Err(invalid_argument(
            "LogGroupName and LogStreamName must be specified when CloudWatch logging is enabled.",
        )),
    }
}

/// The same as it is described.
pub(crate) fn described_logging(given: Option<CloudWatchLoggingOptions>) -> CloudWatchLoggingOptions {
    let mut options = given.unwrap_or_default();
    options.enabled.get_or_insert(false);
    options
}

/// The destination of a delivery stream as it is described: also in the older, smaller form, as on AWS.
pub(crate) fn describe(stream: &StreamRecord) -> Result<DestinationDescription, ApiError> {
    let extended = described(stream)?;
    Ok(DestinationDescription {
        s3_destination_description: Some(simple(&extended)),
        extended_s3_destination_description: Some(extended),
        ..Default::default()
    })
}

fn described(stream: &StreamRecord) -> Result<ExtendedS3DestinationDescription, ApiError> {
    serde_json::from_value(stream.destination.described.clone()).map_err(ApiError::internal)
}

/// The description in the older, smaller form.
pub(crate) fn simple(extended: &ExtendedS3DestinationDescription) -> S3DestinationDescription {
    let extended = extended.clone();
    S3DestinationDescription {
        role_arn: extended.role_arn,
        bucket_arn: extended.bucket_arn,
        prefix: extended.prefix,
        error_output_prefix: extended.error_output_prefix,
        buffering_hints: extended.buffering_hints,
        compression_format: extended.compression_format,
        encryption_configuration: extended.encryption_configuration,
        cloud_watch_logging_options: extended.cloud_watch_logging_options,
    }
}
