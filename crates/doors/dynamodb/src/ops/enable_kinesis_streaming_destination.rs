//! EnableKinesisStreamingDestination.

use headwater_shapes_dynamodb::{
    EnableKinesisStreamingConfiguration, KinesisStreamingDestinationInput,
    KinesisStreamingDestinationOutput, ops::EnableKinesisStreamingDestination,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    destination::{precision_of, refused},
};

impl Handle<EnableKinesisStreamingDestination> for Dynamo {
    /// By the time of the answer, which says `ENABLING` as AWS's does, changes are sent, or it is known that they cannot be.
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
        let configuration = enable_kinesis_streaming_configuration.unwrap_or_default();
        let EnableKinesisStreamingConfiguration {
            approximate_creation_date_time_precision,
        } = &configuration;
        let precision = approximate_creation_date_time_precision.as_deref();
        let table = self.table(&table_name, context)?.name;
        let enabled =
            self.tables
                .enable_destination(&table, &stream_arn, precision.map(precision_of));
        enabled.await.map_err(refused)?;
        Ok(KinesisStreamingDestinationOutput {
            table_name: Some(table),
            stream_arn: Some(stream_arn),
            destination_status: Some("ENABLING".to_owned()),
            enable_kinesis_streaming_configuration: Some(configuration),
        })
    }
}
