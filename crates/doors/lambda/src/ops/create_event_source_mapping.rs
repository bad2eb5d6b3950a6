//! CreateEventSourceMapping.

use headwater_mappings::{Error, LastResult, NewMapping, Settings, limits::TAGS_MAX};
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

impl Handle<CreateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        input: CreateEventSourceMappingRequest,
        _context: &Context,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
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
        let options = self.functions.options();
        let source = source_of(event_source_arn.as_deref(), options)?;
        let function = self.mapped_function(&function_name).await?;
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
        let tags = tags.unwrap_or_default();
        tags::check(&tags)?;
        if tags.len() > TAGS_MAX {
            return Err(mappings::api(Error::TooManyTags));
        }
        let defaults = match source.kind {
            Kind::Stream => Settings::default(),
            Kind::Queue | Kind::FifoQueue => Settings::of_queues(),
        };
        let new = NewMapping {
            function: function.arn.clone(),
            source: source.named,
            stream: source.stream,
            start: start_of(
                source.kind,
                starting_position.as_deref(),
                starting_position_timestamp,
            )?,
            settings: wanted.over(defaults, source.kind)?,
            enabled: enabled.unwrap_or(true),
            tags,
        };
        if source.kind != Kind::Stream {
            self.check_queue(&new.source, &function).await?;
        }
        let (source, function) = (new.source.clone(), new.function.clone());
        let made = self.mappings.create(new).await;
        let made = made.map_err(|error| mappings::pair(error, &source, &function))?;
        let stage = match made.enabled || !made.is_of_queue() {
            true => Stage::Creating,
            // Recorded on AWS for a queue.
            false => Stage::Disabled,
        };
        Ok(configuration(&made, stage, &LastResult::None, options))
    }
}
