//! A mapping as answers show it, with all members that AWS answers for streams, and those that it answers for queues.

use headwater_functions::Options;
use headwater_mappings::{LastResult, Mapping, Settings, Start};
use headwater_shapes::Timestamp;
use headwater_shapes_lambda::{
    DestinationConfig, EventSourceMappingConfiguration, Filter, FilterCriteria, OnFailure,
    ScalingConfig,
};
use headwater_types::{Arn, Millis};

/// What is being done to a mapping, or is the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Creating,
    Enabled,
    Enabling,
    Disabled,
    Disabling,
    Updating,
    Deleting,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::Enabled => "Enabled",
            Self::Enabling => "Enabling",
            Self::Disabled => "Disabled",
            Self::Disabling => "Disabling",
            Self::Updating => "Updating",
            Self::Deleting => "Deleting",
        }
    }
}

/// The mapping as an answer.
pub(crate) fn configuration(
    mapping: &Mapping,
    stage: Stage,
    last_result: &LastResult,
    options: &Options,
) -> EventSourceMappingConfiguration {
    let Settings {
        batch_size,
        window_s,
        lanes,
        bisect,
        retries,
        age_s,
        tumbling_s,
        item_failures,
        filters,
        on_failure,
        concurrency,
    } = &mapping.settings;
    let resource = format!("event-source-mapping:{}", mapping.id);
    let arn = Arn::new("lambda", &options.region, &options.account, resource);
    let filter = |pattern: &String| Filter {
        pattern: Some(pattern.clone()),
    };
    let filters: Vec<Filter> = filters.iter().map(filter).collect();
    let response_types = item_failures.then(|| "ReportBatchItemFailures".to_owned());
    let common = EventSourceMappingConfiguration {
        uuid: Some(mapping.id.clone()),
        batch_size: Some(number(*batch_size)),
        maximum_batching_window_in_seconds: Some(number(*window_s)),
        event_source_arn: Some(mapping.source.to_string()),
        filter_criteria: (!filters.is_empty()).then_some(FilterCriteria {
            filters: Some(filters),
        }),
        function_arn: Some(mapping.function.to_string()),
        last_modified: Some(shown(mapping.modified)),
        state: Some(stage.name().to_owned()),
        function_response_types: Some(response_types.into_iter().collect()),
        event_source_mapping_arn: Some(arn.to_string()),
        ..EventSourceMappingConfiguration::default()
    };
    let Some(start) = mapping.start else {
        return EventSourceMappingConfiguration {
            state_transition_reason: Some("USER_INITIATED".to_owned()),
            scaling_config: concurrency.map(|most| ScalingConfig {
                maximum_concurrency: Some(number(most)),
            }),
            ..common
        };
    };
    let (position, timestamp) = match start {
        Start::Latest => ("LATEST", None),
        Start::TrimHorizon => ("TRIM_HORIZON", None),
        Start::Time(time) => ("AT_TIMESTAMP", Some(time)),
    };
    EventSourceMappingConfiguration {
        starting_position: Some(position.to_owned()),
        starting_position_timestamp: timestamp.map(shown),
        parallelization_factor: Some(number(*lanes)),
        last_processing_result: Some(match last_result {
            LastResult::None => "No records processed".to_owned(),
            LastResult::Done => "OK".to_owned(),
            LastResult::Problem(problem) => format!("PROBLEM: {problem}"),
        }),
        state_transition_reason: Some("User action".to_owned()),
        destination_config: Some(DestinationConfig {
            on_success: None,
            on_failure: Some(OnFailure {
                destination: on_failure.as_ref().map(Arn::to_string),
            }),
        }),
        maximum_record_age_in_seconds: Some(age_s.map_or(-1, number)),
        bisect_batch_on_function_error: Some(*bisect),
        maximum_retry_attempts: Some(retries.map_or(-1, number)),
        tumbling_window_in_seconds: Some(tumbling_s.map_or(0, number)),
        ..common
    }
}

fn number(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn shown(time: Millis) -> Timestamp {
    Timestamp(i64::try_from(time.0).unwrap_or(i64::MAX))
}
