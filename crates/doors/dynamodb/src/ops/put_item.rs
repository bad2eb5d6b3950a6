//! PutItem.

use headwater_expressions::Projection;
use headwater_shapes_dynamodb::{PutItemInput, PutItemOutput, ops::PutItem};
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

impl Handle<PutItem> for Dynamo {
    async fn handle(
        &self,
        input: PutItemInput,
        context: &Context,
    ) -> Result<PutItemOutput, ApiError> {
        let PutItemInput {
            table_name,
            item,
            expected,
            return_values,
            return_consumed_capacity,
            return_item_collection_metrics,
            conditional_operator,
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
        let item = values::item(item)?;
        let returned = Returned::of_old(return_values.as_deref())?;
        writes::check_size(&item)?;
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
        let write = writes::put(item, condition, &table)?;
        let answer = self.write(&named, &table, write, asked, context).await?;
        Ok(PutItemOutput {
            attributes: answer.attributes,
            consumed_capacity: answer.consumed,
            item_collection_metrics: answer.metrics,
        })
    }
}
