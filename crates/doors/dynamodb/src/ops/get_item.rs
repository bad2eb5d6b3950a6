//! GetItem.

use headwater_shapes_dynamodb::{GetItemInput, GetItemOutput, ops::GetItem};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, Split, Told, of_read},
        failed::below,
        keys,
        named::Named,
        placeholders::{Sent, check_used},
        projection::Projecting,
        throttled, values,
    },
};

impl Handle<GetItem> for Dynamo {
    async fn handle(
        &self,
        input: GetItemInput,
        context: &Context,
    ) -> Result<GetItemOutput, ApiError> {
        let GetItemInput {
            table_name,
            key,
            attributes_to_get,
            consistent_read,
            return_consumed_capacity,
            projection_expression,
            expression_attribute_names,
        } = input;
        let named = Named::new(table_name, context)?;
        let sent = Sent {
            names: expression_attribute_names,
            values: None,
        };
        let projecting = Projecting {
            expression: projection_expression,
            attributes: attributes_to_get,
        };
        projecting.check_dialects(&sent)?;
        let key = values::item(key)?;
        let mut placeholders = sent.read()?;
        let wanted = projecting.read(&mut placeholders)?;
        check_used(&placeholders)?;
        let table = self.open(&named, context)?;
        keys::check(&key, &table)?;
        wanted.check(&table)?;
        let metered = self.tables.metered_item(&table, &key).map_err(below)?;
        let admitted = metered.admit();
        admitted.map_err(|error| throttled::api(&error, &table.name, context))?;
        let item = self.tables.read(&table.name, &key).await.map_err(below)?;
        let units = of_read(item.as_ref(), Consistency::of(consistent_read));
        metered.take(&units);
        let told = Told::of(return_consumed_capacity.as_deref());
        Ok(GetItemOutput {
            item: item.map(|item| wanted.shown(item)),
            consumed_capacity: told.consumed(&named.given, &units, Split::Untold),
        })
    }
}
