//! DescribeTable.

use headwater_shapes_dynamodb::{DescribeTableInput, DescribeTableOutput, ops::DescribeTable};
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

impl Handle<DescribeTable> for Dynamo {
    async fn handle(
        &self,
        input: DescribeTableInput,
        context: &Context,
    ) -> Result<DescribeTableOutput, ApiError> {
        let DescribeTableInput { table_name } = input;
        let table = self.table(&table_name, context)?;
        let table = Some(self.describe(&table, context)?);
        Ok(DescribeTableOutput { table })
    }
}
