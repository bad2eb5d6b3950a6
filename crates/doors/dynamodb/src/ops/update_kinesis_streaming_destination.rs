//! UpdateKinesisStreamingDestination.

use headwater_shapes_dynamodb::{
    UpdateKinesisStreamingConfiguration, UpdateKinesisStreamingDestinationInput,
    UpdateKinesisStreamingDestinationOutput, ops::UpdateKinesisStreamingDestination,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    destination::{not_changed, precision_of},
    errors::validation,
};

impl Handle<UpdateKinesisStreamingDestination> for Dynamo {
    /// The change holds by the time of the answer, which says `UPDATING` as AWS's does.
    async fn handle(
        &self,
        input: UpdateKinesisStreamingDestinationInput,
        context: &Context,
    ) -> Result<UpdateKinesisStreamingDestinationOutput, ApiError> {
        let UpdateKinesisStreamingDestinationInput {
            table_name,
            stream_arn,
            update_kinesis_streaming_configuration,
        } = input;
        let table = self.table(&table_name, context)?;
        let configuration = update_kinesis_streaming_configuration.unwrap_or_default();
        let UpdateKinesisStreamingConfiguration {
            approximate_creation_date_time_precision,
        } = &configuration;
        let Some(precision) = approximate_creation_date_time_precision else {
            return Err(validation(
                "Streaming destination cannot be updated with given parameters: UpdateKinesisStreamingConfiguration cannot \
                 be null or contain only null values",
            ));
        };
        let precision = precision_of(precision);
        let set = self
            .tables
            .set_precision(&table.name, &stream_arn, precision);
        set.await
            .map_err(|error| not_changed(error, &stream_arn, &table.id, precision))?;
        Ok(UpdateKinesisStreamingDestinationOutput {
            table_name: Some(table.name),
            stream_arn: Some(stream_arn),
            destination_status: Some("UPDATING".to_owned()),
            update_kinesis_streaming_configuration: Some(configuration),
        })
    }
}
