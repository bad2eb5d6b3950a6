//! GetItem.

use headwater_shapes_dynamodb::{GetItemInput, GetItemOutput, ops::GetItem};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        capacity::{Consistency, Split, Told},
        keys,
        named::Named,
        placeholders::{Sent, check_used},
        projection::Projecting,
        values,
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
        let consistency = Consistency::of(consistent_read);
        let (item, units) = self.read_one(&table, &key, consistency, context).await?;
        let told = Told::of(return_consumed_capacity.as_deref());
        Ok(GetItemOutput {
            item: item.map(|item| wanted.shown(item)),
            consumed_capacity: told.consumed(&named.given, &units, Split::Untold),
        })
    }
}
