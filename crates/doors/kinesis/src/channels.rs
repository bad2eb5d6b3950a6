//! Channels: AWS's configuration of a delivery from a stream into a bucket as the domain has it, and its description.
//! Settings that are not built are refused by name.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use headwater_catalog::Checked;
use headwater_delivery::{
    Buffering, Compression, DEFAULT_KEY_TEMPLATE, Deliveries, Destination, Format, Logging, Places,
    Step, StreamRecord,
};
use headwater_log::SourceError;
use headwater_shapes::{Nothing, Timestamp, Tree};
use headwater_shapes_kinesis::{
    ChannelDescription, ChannelEncryptionConfiguration, ChannelLoggingConfiguration,
    ChannelStreamDescription, CloudWatchLogs, DeadLetterQueueS3Configuration, RecordConfiguration,
    S3DestinationConfiguration, S3DestinationDescription, S3StorageConfiguration,
    S3TablesDestinationConfiguration,
};
use headwater_streams::{Stream, Streams};
use headwater_types::{Arn, StreamName};
use headwater_wire::{ApiError, Context};
use serde_json::Value;

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
    place::no_id,
    queues,
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

/// How many channels a stream may have: with AWS's limits one, in on-demand mode.
pub(crate) struct PlacesForChannels {
    pub streams: Arc<Streams>,
    pub stream: StreamName,
    pub limits: bool,
}

#[async_trait]
impl Places for PlacesForChannels {
    async fn of(&self, _: &Arn) -> Result<Checked<usize>, SourceError> {
        let Checked { value, checks } = queues::checked(&self.streams, &self.stream).await?;
        let most = match (self.limits, value.mode.is_on_demand()) {
            (false, _) => usize::MAX,
            (true, on_demand) => usize::from(on_demand),
        };
        Ok(Checked::new(most, checks))
    }
}

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
        stream_id: &Option<String>,
        context: &Context,
    ) -> Result<Option<StreamRecord>, ApiError> {
        let is_channel = |arn: Arn| arn.name_of("channel").is_some();
        if !arn.parse().is_ok_and(is_channel) {
            return Ok(None);
        }
        no_id(stream_id)?;
        self.channel(arn, context).await.map(Some)
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

/// A channel as a request asks for it.
pub(crate) struct Asked<'a> {
    /// `ChannelName`.
    pub name: &'a str,
    /// The id that it gets.
    pub id: &'a str,
    /// `ServiceExecutionRoleARN`.
    pub role: &'a str,
    /// The form of the records.
    pub records: RecordConfiguration,
    /// Where they go, of [`bucket_configuration`].
    pub bucket: S3DestinationConfiguration,
    /// `LoggingConfiguration`.
    pub logging: Option<ChannelLoggingConfiguration>,
}

/// The destination of a channel to be made, and its description.
pub(crate) fn destination(
    channels: &Channels,
    asked: Asked<'_>,
    stream: &Stream,
    context: &Context,
) -> Result<(Destination, Value), ApiError> {
    let RecordConfiguration {
        record_format_type,
        gsr_schema_arn,
    } = asked.records;
    if gsr_schema_arn.is_some() {
        return Err(ApiError::not_supported("GSRSchemaARN"));
    }
    let S3DestinationConfiguration {
        data_freshness_in_seconds,
        dead_letter_queue_s3_configuration,
        storage_configuration,
    } = asked.bucket;
    let storage = described_storage(storage_configuration, context)?;
    let dead_letters = dead_letters(dead_letter_queue_s3_configuration, &storage, context)?;
    let freshness = channels.freshness(data_freshness_in_seconds)?;
    let ChannelLoggingConfiguration { cloud_watch_logs } = asked.logging.unwrap_or_default();
    let logs = with_names(cloud_watch_logs, asked.name, asked.id);
    let steps = checks(&record_format_type)?;
    let description = ChannelDescription {
        stream_configuration_list: vec![ChannelStreamDescription {
            stream_arn: describe::arn(stream, context),
            stream_creation_timestamp: describe::created(stream),
            record_configuration: RecordConfiguration {
                record_format_type,
                gsr_schema_arn: None,
            },
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
        role: asked.role.to_owned(),
        prefix: None,
        error_prefix: dead_letters.error_output_prefix,
        time_zone: None,
        key_template: storage.output_key_template,
        error_bucket: Some(bucket(&dead_letters.bucket_arn)?),
        encryption_key: None,
        steps,
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
pub(crate) fn with_names(logs: CloudWatchLogs, name: &str, id: &str) -> CloudWatchLogs {
    let CloudWatchLogs {
        enabled,
        mut log_group_name,
        mut log_stream_name,
    } = logs;
    if enabled {
        log_group_name.get_or_insert_with(|| format!("/aws/kinesis/{name}/{id}"));
        log_stream_name.get_or_insert_with(|| LOG_STREAM.to_owned());
    }
    CloudWatchLogs {
        enabled,
        log_group_name,
        log_stream_name,
    }
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

/// The bucket that a request names for a destination, the only kind that there is.
pub(crate) fn bucket_configuration(
    bucket: Option<S3DestinationConfiguration>,
    tables: Option<S3TablesDestinationConfiguration>,
    encryption: Option<ChannelEncryptionConfiguration>,
) -> Result<S3DestinationConfiguration, ApiError> {
    if encryption.is_some() {
        return Err(ApiError::not_supported(
            "EncryptionConfiguration of channels",
        ));
    }
    match (bucket, tables) {
        (Some(given), None) => Ok(given),
        (None, Some(_)) => Err(ApiError::not_supported("S3TablesDestinationConfiguration")),
        _ => Err(invalid_argument(
            "Exactly one of S3DestinationConfiguration and S3TablesDestinationConfiguration must be specified.",
        )),
    }
}

fn described_storage(
    given: S3StorageConfiguration,
    context: &Context,
) -> Result<S3StorageConfiguration, ApiError> {
    let S3StorageConfiguration {
        bucket_arn,
        expected_bucket_owner,
        output_key_template,
        storage_class,
        compression_type,
    } = given;
    check_owner(&expected_bucket_owner, context)?;
    let class = storage_class.unwrap_or_else(|| "STANDARD".to_owned());
    if class != "STANDARD" {
        return Err(ApiError::not_supported(format_args!(
            "StorageClass {class}"
        )));
    }
    let template = output_key_template.unwrap_or_else(|| DEFAULT_KEY_TEMPLATE.to_owned());
    Ok(S3StorageConfiguration {
        bucket_arn,
        expected_bucket_owner,
        output_key_template: Some(template),
        storage_class: Some(class),
        compression_type,
    })
}

fn dead_letters(
    given: Option<DeadLetterQueueS3Configuration>,
    storage: &S3StorageConfiguration,
    context: &Context,
) -> Result<DeadLetterQueueS3Configuration, ApiError> {
    let given = given.unwrap_or_else(|| DeadLetterQueueS3Configuration {
        bucket_arn: storage.bucket_arn.clone(),
        expected_bucket_owner: storage.expected_bucket_owner.clone(),
        error_output_prefix: None,
    });
    let DeadLetterQueueS3Configuration {
        bucket_arn,
        expected_bucket_owner,
        error_output_prefix,
    } = given;
    check_owner(&expected_bucket_owner, context)?;
    let prefix = error_output_prefix.unwrap_or_else(|| ERROR_PREFIX.to_owned());
    Ok(DeadLetterQueueS3Configuration {
        bucket_arn,
        expected_bucket_owner,
        error_output_prefix: Some(prefix),
    })
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
