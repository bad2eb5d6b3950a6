//! UpdateEventSourceMapping.

use headwater_mappings::{Error, Mapping};
use headwater_shapes_lambda::{
    EventSourceMappingConfiguration, UpdateEventSourceMappingRequest, ops::UpdateEventSourceMapping,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    mappings::{self, Stage, Unread, Wanted, configuration, kind_of, refuse_unread},
};

/// The parts of a request that are read.
struct Asked {
    id: String,
    function: Option<String>,
    enabled: Option<bool>,
    wanted: Wanted,
}

impl Handle<UpdateEventSourceMapping> for Lambda {
    async fn handle(
        &self,
        input: UpdateEventSourceMappingRequest,
        _context: &Context,
    ) -> Result<EventSourceMappingConfiguration, ApiError> {
        let Asked {
            id,
            function,
            enabled,
            wanted,
        } = Asked::of(input)?;
        let before = self.mappings.get(&id).map_err(mappings::api)?;
        let function = match function {
            Some(name) => Some(self.mapped_function(&name).await?),
            None => None,
        };
        // Checked against what there is, and put over what there is by then.
        let kind = kind_of(&before.source);
        wanted.clone().over(before.settings.clone(), kind)?;
        if let Some(function) = &function
            && !kind.is_stream()
        {
            self.check_queue(&before.source, function).await?;
        }
        let function = function.map(|function| function.arn);
        let asked = function.clone().unwrap_or(before.function);
        let change = move |mapping: &mut Mapping| {
            let settings = wanted.clone().over(mapping.settings.clone(), kind);
            mapping.settings = settings.map_err(|error| Error::Refused(error.message().into()))?;
            if let Some(function) = &function {
                mapping.function = function.clone();
            }
            mapping.enabled = enabled.unwrap_or(mapping.enabled);
            Ok(())
        };
        let changed = self.mappings.update(&id, change).await;
        let changed = changed.map_err(|error| mappings::pair(error, &before.source, &asked))?;
        let stage = match (before.enabled, changed.enabled) {
            (false, true) => Stage::Enabling,
            (true, false) => Stage::Disabling,
            _ => Stage::Updating,
        };
        let last = self.mappings.last_result(&id).map_err(mappings::api)?;
        let options = self.functions.options();
        Ok(configuration(&changed, stage, &last, options))
    }
}

impl Asked {
    fn of(input: UpdateEventSourceMappingRequest) -> Result<Self, ApiError> {
        let UpdateEventSourceMappingRequest {
            uuid,
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
            destination_config,
            maximum_record_age_in_seconds,
            bisect_batch_on_function_error,
            maximum_retry_attempts,
            tumbling_window_in_seconds,
            source_access_configurations,
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
            source_access_configurations,
            amazon_managed_kafka_event_source_config,
            self_managed_kafka_event_source_config,
            document_db_event_source_config,
            provisioned_poller_config,
            ..Unread::default()
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
            id: uuid,
            function: function_name,
            enabled,
            wanted,
        })
    }
}
