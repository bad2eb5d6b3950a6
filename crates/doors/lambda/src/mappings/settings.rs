//! The settings of a mapping out of a request that makes or changes it.

use headwater_mappings::Settings;
use headwater_shapes_lambda::{
    AmazonManagedKafkaEventSourceConfig, DestinationConfig, DocumentDBEventSourceConfig,
    EventSourceMappingLoggingConfig, EventSourceMappingMetricsConfig, Filter, FilterCriteria,
    OnFailure, OnSuccess, ProvisionedPollerConfig, ScalingConfig, SelfManagedEventSource,
    SelfManagedKafkaEventSourceConfig, SourceAccessConfiguration,
};
use headwater_types::Arn;
use headwater_wire::ApiError;

use super::source::Kind;
use crate::errors::invalid_parameter;

/// The most filters of a mapping (AWS's quota).
const FILTERS_MAX: usize = 5;
/// The longest pattern (AWS's quota).
const PATTERN_CHARS_MAX: usize = 4096;

/// The settings that a request names.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wanted {
    pub batch_size: Option<i32>,
    pub filters: Option<FilterCriteria>,
    pub window: Option<i32>,
    pub lanes: Option<i32>,
    pub destinations: Option<DestinationConfig>,
    pub age: Option<i32>,
    pub bisect: Option<bool>,
    pub retries: Option<i32>,
    pub tumbling: Option<i32>,
    pub response_types: Option<Vec<String>>,
    pub scaling: Option<ScalingConfig>,
}

impl Wanted {
    /// Checks them and puts them over what there is of a mapping with a source of this kind.
    pub fn over(self, there: Settings, kind: Kind) -> Result<Settings, ApiError> {
        self.refuse_unsupported(kind)?;
        let Self {
            batch_size,
            filters,
            window,
            lanes,
            destinations,
            age,
            bisect,
            retries,
            tumbling,
            response_types,
            scaling,
        } = self;
        let mut settings = there;
        // The model's table has checked their bounds.
        set(&mut settings.batch_size, batch_size.map(i32::unsigned_abs));
        set(&mut settings.window_s, window.map(i32::unsigned_abs));
        set(&mut settings.lanes, lanes.map(i32::unsigned_abs));
        set(&mut settings.bisect, bisect);
        set(
            &mut settings.retries,
            retries.map(|retries| u32::try_from(retries).ok()),
        );
        set(&mut settings.age_s, age.map(age_of).transpose()?);
        let tumbling = tumbling.map(|s| u32::try_from(s).ok().filter(|s| *s > 0));
        set(&mut settings.tumbling_s, tumbling);
        set(
            &mut settings.item_failures,
            response_types.map(|types| !types.is_empty()),
        );
        set(&mut settings.filters, filters.map(patterns_of).transpose()?);
        set(
            &mut settings.on_failure,
            destinations.map(destination_of).transpose()?,
        );
        let concurrency = scaling.map(|scaling| {
            let ScalingConfig {
                maximum_concurrency,
            } = scaling;
            maximum_concurrency.map(i32::unsigned_abs)
        });
        set(&mut settings.concurrency, concurrency);
        match kind {
            Kind::Stream | Kind::Changes => check_stream(&settings),
            Kind::Queue | Kind::FifoQueue => check_queue(&settings, kind),
        }?;
        Ok(settings)
    }

    /// Refuses settings that mappings of this kind do not have.
    fn refuse_unsupported(&self, kind: Kind) -> Result<(), ApiError> {
        let is_stream = kind.is_stream();
        for (name, is_there, is_supported) in [
            ("DestinationConfig", self.destinations.is_some(), is_stream),
            ("ParallelizationFactor", self.lanes.is_some(), is_stream),
            ("MaximumRecordAgeInSeconds", self.age.is_some(), is_stream),
            (
                "BisectBatchOnFunctionError",
                self.bisect.is_some(),
                is_stream,
            ),
            ("MaximumRetryAttempts", self.retries.is_some(), is_stream),
            (
                "TumblingWindowInSeconds",
                self.tumbling.is_some(),
                is_stream,
            ),
            ("ScalingConfig", self.scaling.is_some(), !is_stream),
        ] {
            if is_there && !is_supported {
                return Err(unsupported(name));
            }
        }
        Ok(())
    }
}

fn unsupported(name: &str) -> ApiError {
    invalid_parameter(format!(
        "Unsupported {name} parameter for given event source mapping type."
    ))
}

fn check_stream(settings: &Settings) -> Result<(), ApiError> {
    match settings.tumbling_s.is_some() && settings.lanes > 1 {
        false => Ok(()),
        true => Err(invalid_parameter(
            "TumblingWindowInSeconds is not supported with a ParallelizationFactor greater than 1.",
        )),
    }
}

/// A batch of a queue has a window or ten messages at the most; that of a FIFO queue has no window.
fn check_queue(settings: &Settings, kind: Kind) -> Result<(), ApiError> {
    if kind == Kind::FifoQueue && settings.window_s > 0 {
        return Err(invalid_parameter(
            "Batching window is not supported for FIFO queues",
        ));
    }
    if settings.batch_size > 10 && settings.window_s == 0 {
        return Err(invalid_parameter(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10",
        ));
    }
    Ok(())
}

fn set<T>(to: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *to = value;
    }
}

/// An age of -1 is none; between it and a minute there is no other (API reference).
fn age_of(age: i32) -> Result<Option<u32>, ApiError> {
    match u32::try_from(age) {
        Err(_) => Ok(None),
        Ok(age @ 60..) => Ok(Some(age)),
        Ok(age) => Err(invalid_parameter(format!(
            "Minimum record age is 60 seconds, or -1 for no maximum: {age}"
        ))),
    }
}

fn patterns_of(criteria: FilterCriteria) -> Result<Vec<String>, ApiError> {
    let FilterCriteria { filters } = criteria;
    let filters = filters.unwrap_or_default();
    if filters.len() > FILTERS_MAX {
        return Err(invalid_parameter(format!(
            "The maximum number of filters is {FILTERS_MAX}."
        )));
    }
    let pattern = |filter: Filter| {
        let Filter { pattern } = filter;
        let pattern = pattern.filter(|pattern| pattern.chars().count() <= PATTERN_CHARS_MAX);
        pattern.ok_or_else(|| invalid_parameter("Invalid filter pattern definition."))
    };
    filters.into_iter().map(pattern).collect()
}

/// Where batches go that are given up: a bucket, a queue or a topic.
fn destination_of(destinations: DestinationConfig) -> Result<Option<Arn>, ApiError> {
    let DestinationConfig {
        on_success,
        on_failure,
    } = destinations;
    let is_set = |to: OnSuccess| {
        let OnSuccess { destination } = to;
        destination.is_some()
    };
    if on_success.is_some_and(is_set) {
        return Err(unsupported("DestinationConfig"));
    }
    let destination = on_failure.and_then(|to| {
        let OnFailure { destination } = to;
        destination.filter(|text| !text.is_empty())
    });
    let Some(text) = destination else {
        return Ok(None);
    };
    let invalid = || {
        invalid_parameter(format!(
            "The provided destination config DestinationConfig is invalid: {text}"
        ))
    };
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    match &*arn.service {
        "s3" if !arn.resource.is_empty() && !arn.resource.contains('/') => Ok(Some(arn)),
        // Only standard queues and topics, as on AWS.
        "sqs" | "sns" if !arn.resource.is_empty() && !arn.resource.ends_with(".fifo") => {
            Ok(Some(arn))
        }
        "kafka" => Err(ApiError::not_supported(format!(
            "an OnFailure destination of {}",
            arn.service
        ))),
        _ => Err(invalid()),
    }
}

/// The members of both requests that mean nothing for streams, or nothing here.
#[derive(Default)]
pub(crate) struct Unread {
    pub kms_key_arn: Option<String>,
    pub metrics_config: Option<EventSourceMappingMetricsConfig>,
    pub logging_config: Option<EventSourceMappingLoggingConfig>,
    pub topics: Option<Vec<String>>,
    pub queues: Option<Vec<String>>,
    pub source_access_configurations: Option<Vec<SourceAccessConfiguration>>,
    pub self_managed_event_source: Option<SelfManagedEventSource>,
    pub amazon_managed_kafka_event_source_config: Option<AmazonManagedKafkaEventSourceConfig>,
    pub self_managed_kafka_event_source_config: Option<SelfManagedKafkaEventSourceConfig>,
    pub document_db_event_source_config: Option<DocumentDBEventSourceConfig>,
    pub provisioned_poller_config: Option<ProvisionedPollerConfig>,
}

/// Refuses by its name what is not read. A list of metrics that is empty asks for none.
pub(crate) fn refuse_unread(unread: Unread) -> Result<(), ApiError> {
    let Unread {
        kms_key_arn,
        metrics_config,
        logging_config,
        topics,
        queues,
        source_access_configurations,
        self_managed_event_source,
        amazon_managed_kafka_event_source_config,
        self_managed_kafka_event_source_config,
        document_db_event_source_config,
        provisioned_poller_config,
    } = unread;
    let metrics = metrics_config.and_then(|config| {
        let EventSourceMappingMetricsConfig { metrics } = config;
        metrics.filter(|metrics| !metrics.is_empty())
    });
    for (name, is_there) in [
        ("KMSKeyArn", kms_key_arn.is_some()),
        ("MetricsConfig", metrics.is_some()),
        ("LoggingConfig", logging_config.is_some()),
        ("Topics", topics.is_some()),
        ("Queues", queues.is_some()),
        (
            "SourceAccessConfigurations",
            source_access_configurations.is_some(),
        ),
        (
            "SelfManagedEventSource",
            self_managed_event_source.is_some(),
        ),
        (
            "AmazonManagedKafkaEventSourceConfig",
            amazon_managed_kafka_event_source_config.is_some(),
        ),
        (
            "SelfManagedKafkaEventSourceConfig",
            self_managed_kafka_event_source_config.is_some(),
        ),
        (
            "DocumentDBEventSourceConfig",
            document_db_event_source_config.is_some(),
        ),
        (
            "ProvisionedPollerConfig",
            provisioned_poller_config.is_some(),
        ),
    ] {
        if is_there {
            return Err(ApiError::not_supported(name));
        }
    }
    Ok(())
}
