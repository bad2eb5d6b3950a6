//! UpdateItem.

use headwater_shapes_dynamodb::{UpdateItemInput, UpdateItemOutput, ops::UpdateItem};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    items::{
        capacity::Told,
        condition::Conditional,
        dialect::Dialects,
        named::Named,
        placeholders::{Sent, check_used},
        returned::{Returned, shows_failed},
        single::Asked,
        update::Updating,
        values, writes,
    },
};

impl Handle<UpdateItem> for Dynamo {
    async fn handle(
        &self,
        input: UpdateItemInput,
        context: &Context,
    ) -> Result<UpdateItemOutput, ApiError> {
        let UpdateItemInput {
            table_name,
            key,
            attribute_updates,
            expected,
            conditional_operator,
            return_values,
            return_consumed_capacity,
            return_item_collection_metrics,
            update_expression,
            condition_expression,
            expression_attribute_names,
            expression_attribute_values,
            return_values_on_condition_check_failure,
        } = input;
        let named = Named::new(table_name, context)?;
        let sent = Sent {
            names: expression_attribute_names,
            values: expression_attribute_values,
        };
        let conditional = Conditional {
            expression: condition_expression,
            expected,
            operator: conditional_operator,
        };
        let updating = Updating {
            expression: update_expression,
            older: attribute_updates,
        };
        check_dialects(&updating, &conditional, &sent)?;
        let key = values::item(key)?;
        let mut placeholders = sent.read()?;
        let update = updating.read(&mut placeholders)?;
        let condition = conditional.read(&mut placeholders)?;
        check_used(&placeholders)?;
        let asked = Asked {
            returned: Returned::of_update(return_values.as_deref()),
            touched: update.touched(),
            told: Told::of(return_consumed_capacity.as_deref()),
            metrics: return_item_collection_metrics,
            shows: shows_failed(return_values_on_condition_check_failure.as_deref()),
        };
        let table = self.open(&named, context)?;
        let write = writes::update(key, update, condition, &table)?;
        let answer = self.write(&named, &table, write, asked, context).await?;
        Ok(UpdateItemOutput {
            attributes: answer.attributes,
            consumed_capacity: answer.consumed,
            item_collection_metrics: answer.metrics,
        })
    }
}

fn check_dialects(
    updating: &Updating,
    conditional: &Conditional,
    sent: &Sent,
) -> Result<(), ApiError> {
    let [expected, operator] = conditional.older_sent();
    let dialects = Dialects {
        projection: None,
        expressions: &[
            ("UpdateExpression", updating.expression.is_some()),
            conditional.expression_sent(),
        ],
        older: &[
            ("AttributeUpdates", updating.older.is_some()),
            expected,
            operator,
        ],
    };
    dialects.check(sent)
}
