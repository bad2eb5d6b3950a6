//! DescribeTimeToLive.

use headwater_shapes_dynamodb::{
    DescribeTimeToLiveInput, DescribeTimeToLiveOutput, TimeToLiveDescription,
    ops::DescribeTimeToLive,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

impl Handle<DescribeTimeToLive> for Dynamo {
    async fn handle(
        &self,
        input: DescribeTimeToLiveInput,
        context: &Context,
    ) -> Result<DescribeTimeToLiveOutput, ApiError> {
        let DescribeTimeToLiveInput { table_name } = input;
        let table = self.table(&table_name, context)?;
        // AWS names the attribute only while it counts.
        let set = table.time_to_live.filter(|set| set.enabled);
        let status = if set.is_some() { "ENABLED" } else { "DISABLED" };
        Ok(DescribeTimeToLiveOutput {
            time_to_live_description: Some(TimeToLiveDescription {
                time_to_live_status: Some(status.to_owned()),
                attribute_name: set.map(|set| set.attribute),
            }),
        })
    }
}
