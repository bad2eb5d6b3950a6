//! S3 destinations: AWS's configuration into the domain's, and its description. Settings that are not built are
//! refused by name, unless it says what is the case anyway.

use headwater_delivery::{
    Backup, Buffering, Compression, Destination, Logging, Prefixes, Step, StreamRecord, Target,
    keys_of,
};
use headwater_shapes::Tree;
use headwater_shapes_firehose::{
    BufferingHints, CloudWatchLoggingOptions, DestinationDescription,
    DynamicPartitioningConfiguration, EncryptionConfiguration, ExtendedS3DestinationConfiguration,
    ExtendedS3DestinationDescription, ExtendedS3DestinationUpdate, KMSEncryptionConfig,
    RetryOptions, S3DestinationConfiguration, S3DestinationDescription, S3DestinationUpdate,
};
use headwater_types::Arn;
use headwater_wire::ApiError;

use serde_json::{Value, json};

use super::{configured::Configured, conversion, update::merged_bucket};
use crate::{
    errors::{invalid_argument, refuse},
    processing,
};

const SIZE_MIB: i32 = 5;
/// The same where batches are partitioned or converted, and the least that they may have.
const LARGE_SIZE_MIB: i32 = 128;
const LARGE_SIZE_MIB_MIN: i32 = 64;
const INTERVAL_S: i32 = 300;
/// For how long objects of partitions are tried again where nothing is said.
const PARTITION_RETRY_S: u32 = 300;

/// The configuration of the older, smaller form.
pub(crate) fn extended(simple: S3DestinationConfiguration) -> ExtendedS3DestinationConfiguration {
    let S3DestinationConfiguration {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
    } = simple;
    ExtendedS3DestinationConfiguration {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
        ..Default::default()
    }
}

/// The destination of `stream` with what an update specifies.
pub(crate) fn updated(
    stream: &StreamRecord,
    update: ExtendedS3DestinationUpdate,
) -> Result<Configured<ExtendedS3DestinationDescription>, ApiError> {
    let old = described(stream)?;
    let was_partitioned = stream.destination.is_partitioned;
    let is_kept = stream.destination.backup.is_some();
    refuse_ended_backup(update.s3_backup_mode.as_deref(), is_kept)?;
    let configured = of_configuration(merged(old, update)?)?;
    match configured.destination.is_partitioned == was_partitioned {
        true => Ok(configured),
        false => Err(invalid_argument(
            "Dynamic Partitioning can neither be enabled nor disabled on an existing delivery stream.",
        )),
    }
}

/// The update of the older, smaller form.
pub(crate) fn extended_update(simple: S3DestinationUpdate) -> ExtendedS3DestinationUpdate {
    let S3DestinationUpdate {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
    } = simple;
    ExtendedS3DestinationUpdate {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
        ..Default::default()
    }
}

/// The description as a configuration, with the members of an update in place of its own.
fn merged(
    old: ExtendedS3DestinationDescription,
    new: ExtendedS3DestinationUpdate,
) -> Result<ExtendedS3DestinationConfiguration, ApiError> {
    let ExtendedS3DestinationUpdate {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
        processing_configuration,
        s3_backup_mode,
        s3_backup_update,
        data_format_conversion_configuration,
        dynamic_partitioning_configuration,
        file_extension,
        custom_time_zone,
    } = new;
    Ok(ExtendedS3DestinationConfiguration {
        role_arn: role_arn.unwrap_or(old.role_arn),
        bucket_arn: bucket_arn.unwrap_or(old.bucket_arn),
        prefix: prefix.or(old.prefix),
        error_output_prefix: error_output_prefix.or(old.error_output_prefix),
        buffering_hints: Some(buffering_hints.unwrap_or(old.buffering_hints)),
        compression_format: Some(compression_format.unwrap_or(old.compression_format)),
        encryption_configuration: Some(
            encryption_configuration.unwrap_or(old.encryption_configuration),
        ),
        cloud_watch_logging_options: cloud_watch_logging_options
            .or(old.cloud_watch_logging_options),
        processing_configuration: processing_configuration.or(old.processing_configuration),
        s3_backup_mode: s3_backup_mode.or(old.s3_backup_mode),
        s3_backup_configuration: merged_backup(
            old.s3_backup_description.map(|old| old.to_value()),
            s3_backup_update.as_ref(),
        )?,
        data_format_conversion_configuration: data_format_conversion_configuration
            .or(old.data_format_conversion_configuration),
        dynamic_partitioning_configuration: dynamic_partitioning_configuration
            .or(old.dynamic_partitioning_configuration),
        file_extension: file_extension.or(old.file_extension),
        custom_time_zone: custom_time_zone.or(old.custom_time_zone),
    })
}

/// The backup's configuration: what is described with the members of an update in place of its own, its hints whole.
pub(super) fn merged_backup(
    old: Option<Value>,
    new: Option<&impl Tree>,
) -> Result<Option<S3DestinationConfiguration>, ApiError> {
    let new = new.map(Tree::to_value);
    match (old, new) {
        (None, None) => Ok(None),
        (Some(old), new) => merged_bucket(old, &new.unwrap_or_else(|| json!({}))).map(Some),
        (None, Some(new))
            if ["RoleARN", "BucketARN"]
                .iter()
                .any(|name| new.get(name).is_none()) =>
        {
            Err(backup_missing())
        }
        (None, Some(new)) => merged_bucket(json!({}), &new).map(Some),
    }
}

/// Refuses an update to the backup mode `mode` that would end a backup.
pub(super) fn refuse_ended_backup(mode: Option<&str>, is_kept: bool) -> Result<(), ApiError> {
    match is_kept && mode == Some("Disabled") {
        true => Err(invalid_argument(
            "S3 backup cannot be disabled once it is enabled.",
        )),
        false => Ok(()),
    }
}

fn backup_missing() -> ApiError {
    invalid_argument("S3 backup destination configuration is required when enabling S3 backup.")
}

/// The destination that a configuration makes.
pub(crate) fn of_configuration(
    given: ExtendedS3DestinationConfiguration,
) -> Result<Configured<ExtendedS3DestinationDescription>, ApiError> {
    let ExtendedS3DestinationConfiguration {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
        processing_configuration,
        s3_backup_mode,
        s3_backup_configuration,
        data_format_conversion_configuration,
        dynamic_partitioning_configuration,
        file_extension,
        custom_time_zone,
    } = given;
    let (encryption_key, encryption_configuration) = encryption(encryption_configuration)?;
    let (is_partitioned, partition_retry_s) =
        partitioning(dynamic_partitioning_configuration.as_ref());
    let conversion = conversion::of_configuration(data_format_conversion_configuration.as_ref())?;
    let large = [
        (is_partitioned, "Dynamic Partitioning is enabled."),
        (conversion.is_some(), "data format conversion is enabled."),
    ];
    let hints = hints_of(buffering_hints, large)?;
    let compression_format = compression_format.unwrap_or_else(|| "UNCOMPRESSED".to_owned());
    let compression = compression(&compression_format)?;
    if conversion.is_some() && compression != Compression::None {
        return Err(invalid_argument(
            "The S3 destination's compression format must be set to UNCOMPRESSED when data format conversion is enabled",
        ));
    }
    let (processing_configuration, steps) =
        processing::normalize(processing_configuration, &role_arn, is_partitioned)?;
    if is_partitioned {
        check_partition_keys(prefix.as_deref(), error_output_prefix.as_deref(), &steps)?;
    }
    let logging = logging(cloud_watch_logging_options.as_ref())?;
    let (backup, s3_backup_description) =
        backup(s3_backup_mode.as_deref(), s3_backup_configuration)?.unzip();
    let description = ExtendedS3DestinationDescription {
        role_arn: role_arn.clone(),
        bucket_arn: bucket_arn.clone(),
        prefix: prefix.clone(),
        error_output_prefix: error_output_prefix.clone(),
        buffering_hints: hints.clone(),
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options: Some(described_logging(cloud_watch_logging_options)),
        processing_configuration,
        s3_backup_mode: Some(
            if backup.is_some() {
                "Enabled"
            } else {
                "Disabled"
            }
            .to_owned(),
        ),
        s3_backup_description,
        data_format_conversion_configuration,
        dynamic_partitioning_configuration,
        file_extension: file_extension.clone(),
        custom_time_zone: custom_time_zone.clone(),
    };
    let destination = Destination {
        bucket: bucket(&bucket_arn)?,
        role: role_arn,
        prefix,
        error_prefix: error_output_prefix,
        time_zone: custom_time_zone,
        key_template: None,
        target: Target::Bucket,
        error_bucket: None,
        encryption_key,
        steps,
        is_partitioned,
        partition_retry_s,
        conversion,
        backup,
        extension: file_extension,
        buffering: buffering(&hints),
        compression,
        logging,
    };
    Ok(Configured {
        destination,
        description,
    })
}

/// Whether there are partitions, and for how long their objects are tried again.
fn partitioning(given: Option<&DynamicPartitioningConfiguration>) -> (bool, u32) {
    let Some(DynamicPartitioningConfiguration {
        retry_options,
        enabled,
    }) = given
    else {
        return (false, PARTITION_RETRY_S);
    };
    let retry = retry_options.as_ref().and_then(
        |RetryOptions {
             duration_in_seconds,
         }| *duration_in_seconds,
    );
    (
        *enabled == Some(true),
        retry.map_or(PARTITION_RETRY_S, i32::unsigned_abs),
    )
}

/// Hints with their defaults (AWS's page on buffering hints); larger where one of the conditions holds.
fn hints_of<const N: usize>(
    given: Option<BufferingHints>,
    large: [(bool, &str); N],
) -> Result<BufferingHints, ApiError> {
    let BufferingHints {
        size_in_mbs,
        interval_in_seconds,
    } = given.unwrap_or_default();
    // AWS's model: a request that says one of them must say the other, too.
    if size_in_mbs.is_some() != interval_in_seconds.is_some() {
        return Err(invalid_argument(
            "BufferingHints must have both SizeInMBs and IntervalInSeconds, or neither",
        ));
    }
    let large = large.iter().find(|(holds, _)| *holds);
    let size = size_in_mbs.unwrap_or(if large.is_some() {
        LARGE_SIZE_MIB
    } else {
        SIZE_MIB
    });
    if let Some((_, when)) = large.filter(|_| size < LARGE_SIZE_MIB_MIN) {
        return Err(invalid_argument(format!(
            "BufferingHints.SizeInMBs must be at least 64 when {when}"
        )));
    }
    let interval = interval_in_seconds.unwrap_or(INTERVAL_S);
    Ok(BufferingHints {
        size_in_mbs: Some(size),
        interval_in_seconds: Some(interval),
    })
}

fn buffering(hints: &BufferingHints) -> Buffering {
    Buffering {
        size_mib: hints.size_in_mbs.unwrap_or(SIZE_MIB).unsigned_abs(),
        interval_s: hints
            .interval_in_seconds
            .unwrap_or(INTERVAL_S)
            .unsigned_abs(),
    }
}

fn compression(format: &str) -> Result<Compression, ApiError> {
    match format {
        "UNCOMPRESSED" => Ok(Compression::None),
        "GZIP" => Ok(Compression::Gzip),
        "ZIP" => Ok(Compression::Zip),
        "Snappy" => Ok(Compression::Snappy),
        "HADOOP_SNAPPY" => Ok(Compression::HadoopSnappy),
        other => Err(ApiError::not_supported(format_args!(
            "CompressionFormat {other}"
        ))),
    }
}

/// Partition keys of the query and of the prefix have to be the same, where the query says which it makes.
fn check_partition_keys(
    prefix: Option<&str>,
    errors: Option<&str>,
    steps: &[Step],
) -> Result<(), ApiError> {
    // An error in the prefixes themselves is told when the delivery stream is made.
    let Ok(prefixes) = Prefixes::parse(prefix, errors, None) else {
        return Ok(());
    };
    let (named, from_lambda) = prefixes.partition_keys();
    if named.is_empty() && from_lambda.is_empty() {
        return Ok(());
    }
    let has_function = steps.iter().any(|step| matches!(step, Step::Function(_)));
    if !from_lambda.is_empty() && !has_function {
        return Err(invalid_argument(
            "S3 Prefix names keys of a Lambda processor, and there is none.",
        ));
    }
    let made = steps.iter().find_map(|step| match step {
        Step::Query(query) => Some(keys_of(query)),
        _ => None,
    });
    let made = match made {
        None if named.is_empty() => return Ok(()),
        None => Vec::new(),
        Some(None) => return Ok(()),
        Some(Some(made)) => made,
    };
    if made.iter().any(|key| !named.contains(&&**key)) {
        return Err(invalid_argument(
            "MetaDataExtraction JQ Query can't contain keys that are not present in the S3 Prefix expression",
        ));
    }
    match named
        .iter()
        .find(|key| !made.iter().any(|made| made == *key))
    {
        Some(key) => Err(invalid_argument(format!(
            "S3 Prefix expression names the key {key}, which the MetaDataExtraction JQ Query does not make."
        ))),
        None => Ok(()),
    }
}

/// Where records go as they came, and how that is described.
pub(crate) fn backup(
    mode: Option<&str>,
    given: Option<S3DestinationConfiguration>,
) -> Result<Option<(Backup, S3DestinationDescription)>, ApiError> {
    let enabled = mode.is_some_and(|mode| mode != "Disabled");
    let given = match (enabled, given) {
        (false, None) => return Ok(None),
        (false, Some(_)) => {
            return Err(ApiError::not_supported(
                "S3BackupConfiguration without S3BackupMode Enabled",
            ));
        }
        (true, None) => {
            return Err(backup_missing());
        }
        (true, Some(given)) => given,
    };
    let S3DestinationConfiguration {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options,
    } = given;
    let logs = logging(cloud_watch_logging_options.as_ref())?.is_some();
    refuse(&[(
        logs,
        "CloudWatchLoggingOptions of S3BackupConfiguration (those of the destination hold for both)",
    )])?;
    let (encryption_key, encryption_configuration) = encryption(encryption_configuration)?;
    let hints = hints_of(buffering_hints, [])?;
    let compression_format = compression_format.unwrap_or_else(|| "UNCOMPRESSED".to_owned());
    let backup = Backup {
        bucket: bucket(&bucket_arn)?,
        prefix: prefix.clone(),
        error_prefix: error_output_prefix.clone(),
        time_zone: None,
        buffering: buffering(&hints),
        compression: compression(&compression_format)?,
        encryption_key,
    };
    let described = S3DestinationDescription {
        role_arn,
        bucket_arn,
        prefix,
        error_output_prefix,
        buffering_hints: hints,
        compression_format,
        encryption_configuration,
        cloud_watch_logging_options: Some(described_logging(cloud_watch_logging_options)),
    };
    Ok(Some((backup, described)))
}

/// The key that objects are encrypted under, if one is named, and how that is described.
fn encryption(
    given: Option<EncryptionConfiguration>,
) -> Result<(Option<String>, EncryptionConfiguration), ApiError> {
    let EncryptionConfiguration {
        no_encryption_config,
        kms_encryption_config,
    } = given.unwrap_or_default();
    match (kms_encryption_config, no_encryption_config) {
        (Some(_), Some(_)) => Err(invalid_argument(
            "Exactly one of NoEncryptionConfig or KMSEncryptionConfig must be specified",
        )),
        (Some(KMSEncryptionConfig { awskms_key_arn }), None) => {
            let described = EncryptionConfiguration {
                no_encryption_config: None,
                kms_encryption_config: Some(KMSEncryptionConfig {
                    awskms_key_arn: awskms_key_arn.clone(),
                }),
            };
            Ok((Some(awskms_key_arn), described))
        }
        (None, _) => {
            let described = EncryptionConfiguration {
                no_encryption_config: Some("NoEncryption".to_owned()),
                kms_encryption_config: None,
            };
            Ok((None, described))
        }
    }
}

/// The bucket that an ARN names.
pub(crate) fn bucket(arn: &str) -> Result<String, ApiError> {
    let parsed: Arn = arn
        .parse()
        .map_err(|_| invalid_argument(format!("Invalid BucketARN: {arn}")))?;
    Ok(parsed.resource)
}

/// Where errors are logged, if they are.
pub(crate) fn logging(
    given: Option<&CloudWatchLoggingOptions>,
) -> Result<Option<Logging>, ApiError> {
    let Some(CloudWatchLoggingOptions {
        enabled: Some(true),
        log_group_name,
        log_stream_name,
    }) = given
    else {
        return Ok(None);
    };
    let name = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
    match (name(log_group_name), name(log_stream_name)) {
        (Some(group), Some(stream)) => Ok(Some(Logging { group, stream })),
        _ => Err(invalid_argument(
            "LogGroupName and LogStreamName must be specified when CloudWatch logging is enabled.",
        )),
    }
}

/// The same as it is described.
pub(crate) fn described_logging(
    given: Option<CloudWatchLoggingOptions>,
) -> CloudWatchLoggingOptions {
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
    Tree::from_value(stream.description.clone()).map_err(ApiError::internal)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn given(text: Value) -> Result<(Option<String>, EncryptionConfiguration), ApiError> {
        encryption(EncryptionConfiguration::from_value(text).ok())
    }

    #[test]
    fn encryption_is_described_as_given_and_none_unless_a_key_is_named() {
        let key = "arn:aws:kms:us-east-1:000000000000:key/k";
        let kms = json!({"KMSEncryptionConfig": {"AWSKMSKeyARN": key}});
        let none = json!({"NoEncryptionConfig": "NoEncryption"});
        for (told, expected, described) in [
            (kms.clone(), Some(key), &kms),
            (none.clone(), None, &none),
            (json!({}), None, &none),
            (json!(null), None, &none),
        ] {
            let (found, found_described) = given(told).unwrap();
            assert_eq!(found.as_deref(), expected);
            assert_eq!(&found_described.to_value(), described);
        }
        let both: Value = merged_bucket(none, &kms).unwrap();
        assert_eq!(given(both).unwrap_err().code(), "InvalidArgumentException");
    }

    #[test]
    fn a_refusal_of_a_backup_is_kept_by_its_name() {
        let old = json!({"RoleARN": "r", "BucketARN": "b"});
        for (old, new, code, text) in [
            (Some(&old), json!({"New": 1}), "NotImplemented", "New"),
            (
                None,
                json!({"RoleARN": "r", "BucketARN": "b", "New": 1}),
                "NotImplemented",
                "New",
            ),
            (
                None,
                json!({"Prefix": "p/", "BucketARN": "b"}),
                "InvalidArgumentException",
                "is required",
            ),
        ] {
            let refused = merged_backup(old.cloned(), Some(&new)).unwrap_err();
            assert_eq!(refused.code(), code, "{new}");
            assert!(refused.message().contains(text), "{}", refused.message());
        }
    }

    #[test]
    fn hints_of_a_backup_are_replaced_whole() {
        let old = json!({"RoleARN": "r", "BucketARN": "b", "Prefix": "p/",
            "BufferingHints": {"SizeInMBs": 2, "IntervalInSeconds": 60}});
        let half = json!({"BufferingHints": {"SizeInMBs": 3}});
        let merged = merged_backup(Some(old.clone()), Some(&half)).unwrap();
        let mut expected = old.clone();
        expected["BufferingHints"] = half["BufferingHints"].clone();
        assert_eq!(merged.unwrap().to_value(), expected);
        let same = merged_backup(Some(old.clone()), None::<&Value>).unwrap();
        assert_eq!(same.unwrap().to_value(), old);
    }
}
