//! DeleteTable.

use headwater_shapes_dynamodb::{DeleteTableInput, DeleteTableOutput, ops::DeleteTable};
use headwater_tables::Target;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    describe::{Show, Size},
    errors::{api, check_state},
};

impl Handle<DeleteTable> for Dynamo {
    async fn handle(
        &self,
        input: DeleteTableInput,
        context: &Context,
    ) -> Result<DeleteTableOutput, ApiError> {
        let DeleteTableInput { table_name } = input;
        let table = self.table(&table_name, context)?;
        let now = self.clock.now();
        check_state(&table, now)?;
        let whole = Target {
            table: table.name.clone(),
            index: None,
        };
        let (items, bytes) = self.tables.count(&whole).map_err(api)?;
        let deleted = self.tables.delete(&table.name).await.map_err(api)?;
        let show = Show {
            context,
            now,
            sizes: |_: Option<&str>| Ok(Size { items, bytes }),
        };
        Ok(DeleteTableOutput {
            table_description: Some(show.deleted(&deleted)?),
        })
    }
}
