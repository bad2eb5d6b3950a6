//! DescribeKinesisStreamingDestination.

use headwater_shapes_dynamodb::{
    DescribeKinesisStreamingDestinationInput, DescribeKinesisStreamingDestinationOutput,
    ops::DescribeKinesisStreamingDestination,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Dynamo, destination::described};

impl Handle<DescribeKinesisStreamingDestination> for Dynamo {
    /// Where changes cannot be sent for now, the description says why; AWS leaves that to metrics.
    async fn handle(
        &self,
        input: DescribeKinesisStreamingDestinationInput,
        context: &Context,
    ) -> Result<DescribeKinesisStreamingDestinationOutput, ApiError> {
        let DescribeKinesisStreamingDestinationInput { table_name } = input;
        let table = self.table(&table_name, context)?;
        let destinations = table.destinations.iter().map(|to| {
            let trouble = self.tables.destination_trouble(&table, to.since);
            described(to, trouble)
        });
        Ok(DescribeKinesisStreamingDestinationOutput {
            kinesis_data_stream_destinations: Some(destinations.collect()),
            table_name: Some(table.name.clone()),
        })
    }
}
