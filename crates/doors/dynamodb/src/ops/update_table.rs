//! UpdateTable.

use headwater_shapes_dynamodb::{UpdateTableInput, UpdateTableOutput, ops::UpdateTable};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    change::{Change, decreases, switches},
    place::name_of,
};

impl Handle<UpdateTable> for Dynamo {
    /// The change is made when this returns; the answer shows a table that is being changed, as AWS's clients expect it.
    async fn handle(
        &self,
        input: UpdateTableInput,
        context: &Context,
    ) -> Result<UpdateTableOutput, ApiError> {
        name_of(&input.table_name, true, context)?;
        let (named, change) = Change::read(input)?;
        let table = self.table(&named, context)?;
        let now = self.clock.now();
        let altered = self.alter(&table.name, |table| {
            let before = table.clone();
            change.apply(table, now)?;
            if self.tables.is_limited() {
                decreases::check(&before, table, now)?;
                switches::check(&before, table, now)?;
            }
            Ok(())
        });
        let mut described = self.describe(&altered.await?, context)?;
        if change.shows() {
            described.table_status = Some("UPDATING".to_owned());
        }
        Ok(UpdateTableOutput {
            table_description: Some(described),
        })
    }
}
