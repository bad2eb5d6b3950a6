//! CreateEventSourceMapping.

use std::collections::BTreeMap;

use headwater_mappings::{Error, LastResult, Mapping, NewMapping, Settings, limits::TAGS_MAX};
use headwater_shapes::Timestamp;
use headwater_shapes_lambda::{
    CreateEventSourceMappingRequest, EventSourceMappingConfiguration, ops::CreateEventSourceMapping,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    mappings::{
        self, Kind, Stage, Unread, Wanted, configuration, refuse_unread, source_of, start_of,
    },
    tags,
};

/// The parts of a request that are read.
struct Asked {
    source: Option<String>,
    function: String,
    /// The word for where it begins in a stream, and the time that goes with one of them.
    start: (Option<String>, Option<Timestamp>),
    enabled: bool,
    wanted: Wanted,
    tags: BTreeMap<String, String>,
}

impl Handle<CreateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        input: CreateEventSourceMappingRequest,
        _context: &Context,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
        let asked = Asked::of(input)?;
        let options = self.functions.options();
        let source = source_of(asked.source.as_deref(), options)?;
        let function = self.mapped_function(&asked.function).await?;
        tags::check(&asked.tags)?;
        if asked.tags.len() > TAGS_MAX {
            return Err(mappings::api(Error::TooManyTags));
        }
        let kind = source.kind;
        let defaults = match kind {
            Kind::Stream | Kind::Changes => Settings::default(),
            Kind::Queue | Kind::FifoQueue => Settings::of_queues(),
        };
        let (position, time) = asked.start;
        let start = start_of(&source, position.as_deref(), time)?;
        let new = NewMapping {
            function: function.arn.clone(),
            source: source.named,
            stream: source.stream,
            start,
            settings: asked.wanted.over(defaults, kind)?,
            enabled: asked.enabled,
            tags: asked.tags,
        };
        if !kind.is_stream() {
            self.check_queue(&new.source, &function).await?;
        }
        let (source, function) = (new.source.clone(), new.function.clone());
        let made = self.mappings.create(new).await;
        let made = made.map_err(|error| mappings::pair(error, &source, &function))?;
        Ok(configuration(
            &made,
            begun(&made),
            &LastResult::None,
            options,
        ))
    }
}

/// The stage of a new mapping.
fn begun(made: &Mapping) -> Stage {
    match made.enabled || !made.is_of_queue() {
        true => Stage::Creating,
        // Recorded on AWS for a queue.
        false => Stage::Disabled,
    }
}

impl Asked {
    fn of(input: CreateEventSourceMappingRequest) -> Result<Self, ApiError> {
        let CreateEventSourceMappingRequest {
            event_source_arn,
            function_name,
            enabled,
            batch_size,
            filter_criteria,
            kms_key_arn,
            metrics_config,
            logging_config,
            scaling_config,
            maximum_batching_window_in_seconds,
            parallelization_factor,
            starting_position,
            starting_position_timestamp,
            destination_config,
            maximum_record_age_in_seconds,
            bisect_batch_on_function_error,
            maximum_retry_attempts,
            tags,
            tumbling_window_in_seconds,
            topics,
            queues,
            source_access_configurations,
            self_managed_event_source,
            function_response_types,
            amazon_managed_kafka_event_source_config,
            self_managed_kafka_event_source_config,
            document_db_event_source_config,
            provisioned_poller_config,
        } = input;
        refuse_unread(Unread {
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
        })?;
        let wanted = Wanted {
            batch_size,
            filters: filter_criteria,
            window: maximum_batching_window_in_seconds,
            lanes: parallelization_factor,
            destinations: destination_config,
            age: maximum_record_age_in_seconds,
            bisect: bisect_batch_on_function_error,
            retries: maximum_retry_attempts,
            tumbling: tumbling_window_in_seconds,
            response_types: function_response_types,
            scaling: scaling_config,
        };
        Ok(Self {
            source: event_source_arn,
            function: function_name,
            start: (starting_position, starting_position_timestamp),
            enabled: enabled.unwrap_or(true),
            wanted,
            tags: tags.unwrap_or_default(),
        })
    }
}
