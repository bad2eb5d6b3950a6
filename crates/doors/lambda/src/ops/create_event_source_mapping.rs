//! CreateEventSourceMapping.

use headwater_mappings::{Error, LastResult, NewMapping, Settings, Start, limits::TAGS_MAX};
use headwater_shapes::Timestamp;
use headwater_shapes_lambda::{
    CreateEventSourceMappingRequest, EventSourceMappingConfiguration, ops::CreateEventSourceMapping,
};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    errors::invalid_parameter,
    mappings::{self, Stage, Unread, Wanted, configuration, refuse_unread, source_of},
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
            scaling_config,
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
        };
        let tags = tags.unwrap_or_default();
        tags::check(&tags)?;
        if tags.len() > TAGS_MAX {
            return Err(mappings::api(Error::TooManyTags));
        }
        let new = NewMapping {
            function,
            source: source.named,
            stream: source.stream,
            start: start_of(starting_position.as_deref(), starting_position_timestamp)?,
            settings: wanted.over(Settings::default())?,
            enabled: enabled.unwrap_or(true),
            tags,
        };
        let (source, function) = (new.source.clone(), new.function.clone());
        let made = self.mappings.create(new).await;
        let made = made.map_err(|error| mappings::pair(error, &source, &function))?;
        Ok(configuration(
            &made,
            Stage::Creating,
            &LastResult::None,
            options,
        ))
    }
}

/// Where a mapping begins. The model's table has checked the word.
fn start_of(position: Option<&str>, time: Option<Timestamp>) -> Result<Start, ApiError> {
    match (position, time) {
        (None, _) => Err(invalid_parameter(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        )),
        (Some("AT_TIMESTAMP"), Some(Timestamp(ms))) => {
            Ok(Start::Time(Millis(u64::try_from(ms).unwrap_or(0))))
        }
        (Some("AT_TIMESTAMP"), None) => Err(invalid_parameter(
            "StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.",
        )),
        (_, Some(_)) => Err(invalid_parameter(
            "StartingPositionTimestamp is only allowed when StartingPosition is AT_TIMESTAMP.",
        )),
        (Some("LATEST"), None) => Ok(Start::Latest),
        (Some(_), None) => Ok(Start::TrimHorizon),
    }
}
