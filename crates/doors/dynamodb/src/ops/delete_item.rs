//! DeleteItem.

use headwater_expressions::Projection;
use headwater_shapes_dynamodb::{DeleteItemInput, DeleteItemOutput, ops::DeleteItem};
use headwater_tables::WriteAction;
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
        values, writes,
    },
};

impl Handle<DeleteItem> for Dynamo {
    async fn handle(
        &self,
        input: DeleteItemInput,
        context: &Context,
    ) -> Result<DeleteItemOutput, ApiError> {
        let DeleteItemInput {
            table_name,
            key,
            expected,
            conditional_operator,
            return_values,
            return_consumed_capacity,
            return_item_collection_metrics,
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
        Dialects {
            projection: None,
            expressions: &[conditional.expression_sent()],
            older: &conditional.older_sent(),
        }
        .check(&sent)?;
        let key = values::item(key)?;
        let returned = Returned::of_old(return_values.as_deref())?;
        let mut placeholders = sent.read()?;
        let condition = conditional.read(&mut placeholders)?;
        check_used(&placeholders)?;
        let asked = Asked {
            returned,
            touched: Projection(Vec::new()),
            told: Told::of(return_consumed_capacity.as_deref()),
            metrics: return_item_collection_metrics,
            shows: shows_failed(return_values_on_condition_check_failure.as_deref()),
        };
        let table = self.open(&named, context)?;
        let write = writes::of_key(key, WriteAction::Delete, condition, &table)?;
        let answer = self.write(&named, &table, write, asked, context).await?;
        Ok(DeleteItemOutput {
            attributes: answer.attributes,
            consumed_capacity: answer.consumed,
            item_collection_metrics: answer.metrics,
        })
    }
}
