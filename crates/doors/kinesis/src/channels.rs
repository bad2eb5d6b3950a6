//! Channels: AWS's configuration of a delivery from a stream into a bucket as the domain has it, and its description.
//! Settings that are not built are refused by name.

use std::{collections::BTreeMap, sync::Arc};

use headwater_delivery::{
    Buffering, Compression, DEFAULT_KEY_TEMPLATE, Deliveries, Destination, Format, Logging, Step,
    StreamRecord,
};
use headwater_shapes::{Nothing, Timestamp, Tree};
use headwater_shapes_kinesis::{
    ChannelDescription, ChannelLoggingConfiguration, ChannelStreamDescription, CloudWatchLogs,
    CreateChannelInput, DeadLetterQueueS3Configuration, S3DestinationConfiguration,
    S3DestinationDescription, S3StorageConfiguration,
};
use headwater_streams::Stream;
use headwater_types::{Arn, StreamName};
use headwater_wire::{ApiError, Context};
use serde_json::Value;

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
};

/// The surroundings of operations on channels.
#[derive(Clone)]
pub struct Channels {
    /// The deliveries that the channels are; no others are among them.
    pub deliveries: Arc<Deliveries>,
    /// Whether AWS's limits hold: 300 to 900 seconds of freshness, on-demand streams only, one channel
    /// into a bucket for each.
    pub limits: bool,
}

/// AWS's range of `DataFreshnessInSeconds`, and its default.
const FRESHNESS: std::ops::RangeInclusive<i32> = 300..=900;
const FRESHNESS_DEFAULT: i32 = 300;
/// A batch that is as large as this is not waited for; AWS names no size.
const SIZE_MIB: u32 = 128;
/// Where records go that have not the format, if nothing is said. AWS says only that there is an error prefix.
const ERROR_PREFIX: &str = "kinesis-channel-errors/";
const LOG_STREAM: &str = "DestinationDelivery";

impl Channels {
    /// How long records may wait.
    pub(crate) fn freshness(&self, given: Option<i32>) -> Result<i32, ApiError> {
        let seconds = given.unwrap_or(FRESHNESS_DEFAULT);
        let (least, most) = (
            if self.limits { *FRESHNESS.start() } else { 0 },
            *FRESHNESS.end(),
        );
        match (least..=most).contains(&seconds) {
            true => Ok(seconds),
            false => Err(invalid_argument(format!(
                "DataFreshnessInSeconds must be between {least} and {most}: {seconds}"
            ))),
        }
    }

    /// The channels of a stream, by name.
    pub(crate) async fn of_stream(
        &self,
        stream: &StreamName,
        context: &Context,
    ) -> Result<Vec<StreamRecord>, ApiError> {
        let arn = describe::arn_of(stream, context);
        let is_of = |channel: &StreamRecord| {
            channel
                .origin
                .stream()
                .is_some_and(|s| s.to_string() == arn)
        };
        let listed = self.deliveries.list(None, usize::MAX, is_of).await;
        Ok(listed.map_err(|error| errors::channel(error, context))?.0)
    }
}

impl Kinesis {
    /// The channel that an ARN names.
    pub(crate) async fn channel(
        &self,
        arn: &str,
        context: &Context,
    ) -> Result<StreamRecord, ApiError> {
        let name = name_in(arn, context)?;
        let found = self.channels.deliveries.describe(&name).await;
        found.map_err(|error| errors::channel(error, context))
    }

    /// The channel that the ARN of any resource names, if it names one.
    pub(crate) async fn tagged_channel(
        &self,
        arn: &str,
        context: &Context,
    ) -> Result<Option<StreamRecord>, ApiError> {
        match arn
            .parse()
            .is_ok_and(|arn: Arn| arn.name_of("channel").is_some())
        {
            true => self.channel(arn, context).await.map(Some),
            false => Ok(None),
        }
    }

    /// Changes a channel's tags.
    pub(crate) async fn tag_channel(
        &self,
        channel: &StreamRecord,
        change: impl FnOnce(&mut BTreeMap<String, String>) + Send + 'static,
        context: &Context,
    ) -> Result<Nothing, ApiError> {
        let changed = self.channels.deliveries.tag(&channel.name, change).await;
        changed
            .map(|()| Nothing {})
            .map_err(|error| errors::channel(error, context))
    }
}

fn name_in(text: &str, context: &Context) -> Result<String, ApiError> {
    let invalid = || invalid_argument(format!("Invalid ChannelARN: {text}"));
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    let name = arn
        .name_of("channel")
        .filter(|_| arn.service == "kinesis")
        .ok_or_else(invalid)?;
    if arn.account != context.account.0 || arn.region != context.region.0 {
        return Err(errors::no_channel(name, &arn.account));
    }
    Ok(name.to_owned())
}

/// The destination of a channel to be made, and its description.
pub(crate) fn destination(
    channels: &Channels,
    input: &CreateChannelInput,
    id: &str,
    stream: &Stream,
    context: &Context,
) -> Result<(Destination, Value), ApiError> {
    let given = bucket_configuration(input)?;
    let [source] = &input.stream_configuration_list[..] else {
        return Err(invalid_argument("A channel has exactly one stream."));
    };
    if source.record_configuration.gsr_schema_arn.is_some() {
        return Err(ApiError::not_supported("GSRSchemaARN"));
    }
    let storage = described_storage(&given.storage_configuration, context)?;
    let dead_letters = dead_letters(given, &storage, context)?;
    let freshness = channels.freshness(given.data_freshness_in_seconds)?;
    let logs = input
        .logging_configuration
        .clone()
        .unwrap_or_default()
        .cloud_watch_logs;
    let logs = with_names(logs, &input.channel_name, id);
    let description = ChannelDescription {
        stream_configuration_list: vec![ChannelStreamDescription {
            stream_arn: source.stream_arn.clone(),
            stream_creation_timestamp: describe::created(stream),
            record_configuration: source.record_configuration.clone(),
        }],
        s3_destination_configuration: Some(S3DestinationDescription {
            data_freshness_in_seconds: freshness,
            dead_letter_queue_s3_configuration: dead_letters.clone(),
            storage_configuration: storage.clone(),
        }),
        logging_configuration: ChannelLoggingConfiguration {
            cloud_watch_logs: logs,
        },
        ..Default::default()
    };
    let base = Destination {
        bucket: bucket(&storage.bucket_arn)?,
        role: input.service_execution_role_arn.clone(),
        prefix: None,
        error_prefix: dead_letters.error_output_prefix,
        time_zone: None,
        key_template: storage.output_key_template,
        error_bucket: Some(bucket(&dead_letters.bucket_arn)?),
        encryption_key: None,
        steps: checks(&source.record_configuration.record_format_type)?,
        extension: None,
        buffering: buffering(freshness),
        compression: compression(&storage.compression_type)?,
        logging: None,
        target: headwater_delivery::Target::Bucket,
        is_partitioned: false,
        partition_retry_s: 0,
        conversion: None,
        backup: None,
    };
    changed(base, &description)
}

/// A destination with the settings that may change as `description` has them, and that as the catalog keeps it.
pub(crate) fn changed(
    base: Destination,
    description: &ChannelDescription,
) -> Result<(Destination, Value), ApiError> {
    let logs = &description.logging_configuration.cloud_watch_logs;
    let logging = match (logs.enabled, &logs.log_group_name, &logs.log_stream_name) {
        (true, Some(group), Some(stream)) => Some(Logging {
            group: group.clone(),
            stream: stream.clone(),
        }),
        _ => None,
    };
    let freshness = description
        .s3_destination_configuration
        .as_ref()
        .map(|s3| s3.data_freshness_in_seconds);
    let kept = description.to_value();
    let buffering = buffering(freshness.unwrap_or(FRESHNESS_DEFAULT));
    let destination = Destination {
        buffering,
        logging,
        ..base
    };
    Ok((destination, kept))
}

/// Log group and stream have defaults where logging is on.
pub(crate) fn with_names(mut logs: CloudWatchLogs, name: &str, id: &str) -> CloudWatchLogs {
    if logs.enabled {
        logs.log_group_name
            .get_or_insert_with(|| format!("/aws/kinesis/{name}/{id}"));
        logs.log_stream_name
            .get_or_insert_with(|| LOG_STREAM.to_owned());
    }
    logs
}

/// A channel as it is described.
pub(crate) fn describe(
    channel: &StreamRecord,
    status: &str,
) -> Result<ChannelDescription, ApiError> {
    let described = Tree::from_value(channel.description.clone());
    let described: ChannelDescription = described.map_err(ApiError::internal)?;
    Ok(ChannelDescription {
        channel_name: channel.name.clone(),
        channel_arn: channel.arn.to_string(),
        channel_id: channel.id.clone(),
        channel_status: status.to_owned(),
        channel_creation_timestamp: Timestamp(channel.created.0 as i64),
        service_execution_role_arn: channel.destination.role.clone(),
        ..described
    })
}

fn bucket_configuration(
    input: &CreateChannelInput,
) -> Result<&S3DestinationConfiguration, ApiError> {
    if input.encryption_configuration.is_some() {
        return Err(ApiError::not_supported(
            "EncryptionConfiguration of channels",
        ));
    }
    match (
        &input.s3_destination_configuration,
        &input.s3_tables_destination_configuration,
    ) {
        (Some(given), None) => Ok(given),
        (None, Some(_)) => Err(ApiError::not_supported("S3TablesDestinationConfiguration")),
        _ => Err(invalid_argument(
            "Exactly one of S3DestinationConfiguration and S3TablesDestinationConfiguration must be specified.",
        )),
    }
}

fn described_storage(
    given: &S3StorageConfiguration,
    context: &Context,
) -> Result<S3StorageConfiguration, ApiError> {
    check_owner(&given.expected_bucket_owner, context)?;
    let class = given
        .storage_class
        .clone()
        .unwrap_or_else(|| "STANDARD".to_owned());
    if class != "STANDARD" {
        return Err(ApiError::not_supported(format_args!(
            "StorageClass {class}"
        )));
    }
    let template = given
        .output_key_template
        .clone()
        .unwrap_or_else(|| DEFAULT_KEY_TEMPLATE.to_owned());
    Ok(S3StorageConfiguration {
        storage_class: Some(class),
        output_key_template: Some(template),
        ..given.clone()
    })
}

fn dead_letters(
    given: &S3DestinationConfiguration,
    storage: &S3StorageConfiguration,
    context: &Context,
) -> Result<DeadLetterQueueS3Configuration, ApiError> {
    let mut dead_letters = given
        .dead_letter_queue_s3_configuration
        .clone()
        .unwrap_or_else(|| DeadLetterQueueS3Configuration {
            bucket_arn: storage.bucket_arn.clone(),
            expected_bucket_owner: storage.expected_bucket_owner.clone(),
            error_output_prefix: None,
        });
    check_owner(&dead_letters.expected_bucket_owner, context)?;
    dead_letters
        .error_output_prefix
        .get_or_insert_with(|| ERROR_PREFIX.to_owned());
    Ok(dead_letters)
}

/// Every bucket here belongs to the one account.
fn check_owner(expected: &str, context: &Context) -> Result<(), ApiError> {
    match expected == context.account.0 {
        true => Ok(()),
        false => Err(invalid_argument(format!(
            "The bucket is not owned by the ExpectedBucketOwner {expected}."
        ))),
    }
}

fn bucket(arn: &str) -> Result<String, ApiError> {
    let parsed: Arn = arn
        .parse()
        .map_err(|_| invalid_argument(format!("Invalid BucketARN: {arn}")))?;
    Ok(parsed.resource)
}

fn buffering(freshness: i32) -> Buffering {
    Buffering {
        size_mib: SIZE_MIB,
        interval_s: freshness.unsigned_abs(),
    }
}

fn compression(text: &str) -> Result<Compression, ApiError> {
    match text {
        "NONE" => Ok(Compression::None),
        "GZIP" => Ok(Compression::Gzip),
        "ZSTD" => Ok(Compression::Zstd),
        other => Err(ApiError::not_supported(format_args!(
            "CompressionType {other}"
        ))),
    }
}

fn checks(text: &str) -> Result<Vec<Step>, ApiError> {
    match text {
        "JSON" => Ok(vec![Step::Check(Format::Json)]),
        "STRING" => Ok(vec![Step::Check(Format::Text)]),
        "BYTE_ARRAY" => Ok(Vec::new()),
        other => Err(invalid_argument(format!(
            "RecordFormatType {other} is not supported for general purpose S3 destinations."
        ))),
    }
}
