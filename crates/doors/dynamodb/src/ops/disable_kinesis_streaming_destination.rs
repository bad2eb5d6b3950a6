//! DisableKinesisStreamingDestination.

use headwater_shapes_dynamodb::{
    KinesisStreamingDestinationInput, KinesisStreamingDestinationOutput,
    ops::DisableKinesisStreamingDestination,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, destination::refused, errors::validation};

impl Handle<DisableKinesisStreamingDestination> for Dynamo {
    /// Changes that were made before are sent while it shows as `DISABLING`.
    async fn handle(
        &self,
        input: KinesisStreamingDestinationInput,
        context: &Context,
    ) -> Result<KinesisStreamingDestinationOutput, ApiError> {
        let KinesisStreamingDestinationInput {
            table_name,
            stream_arn,
            enable_kinesis_streaming_configuration,
        } = input;
        let table = self.table(&table_name, context)?.name;
        if enable_kinesis_streaming_configuration.is_some() {
            return Err(validation(
                "Stream cannot be disabled using EnableKinesisStreamingConfiguration parameters",
            ));
        }
        let disabled = self.tables.disable_destination(&table, &stream_arn).await;
        disabled.map_err(refused)?;
        Ok(KinesisStreamingDestinationOutput {
            table_name: Some(table),
            stream_arn: Some(stream_arn),
            destination_status: Some("DISABLING".to_owned()),
            enable_kinesis_streaming_configuration: None,
        })
    }
}
