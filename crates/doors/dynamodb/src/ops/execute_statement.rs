//! ExecuteStatement.

use headwater_partiql::Statement;
use headwater_shapes_dynamodb::{
    ExecuteStatementInput, ExecuteStatementOutput, ops::ExecuteStatement,
};
use headwater_wire::{ApiError, Context, Handle};
use sha2::{Digest, Sha256};

use crate::{
    Dynamo,
    errors::validation,
    items::{
        capacity::{Consistency, Split, Told},
        returned::shows_failed,
        together::digest,
    },
    partiql::{self, Pages},
};

impl Handle<ExecuteStatement> for Dynamo {
    async fn handle(
        &self,
        input: ExecuteStatementInput,
        context: &Context,
    ) -> Result<ExecuteStatementOutput, ApiError> {
        let ExecuteStatementInput {
            statement: text,
            parameters,
            consistent_read,
            next_token,
            return_consumed_capacity,
            limit,
            return_values_on_condition_check_failure,
        } = input;
        let sent = parameters.as_deref().unwrap_or_default();
        let digest = Sha256::new().chain_update(&text).chain_update(digest(sent));
        let statement = partiql::read(&text, parameters)?;
        let told = Told::of(return_consumed_capacity.as_deref());
        if let Statement::Select(select) = statement {
            let pages = Pages {
                digest: digest.finalize().into(),
                token: next_token,
                limit: limit.and_then(|limit| usize::try_from(limit).ok()),
                consistency: Consistency::of(consistent_read),
                told,
            };
            return self.pages(select, pages, context).await;
        }
        if next_token.is_some() {
            return Err(validation("Invalid NextToken"));
        }
        let shows = shows_failed(return_values_on_condition_check_failure.as_deref());
        let planned = self.plan(statement, context)?;
        let given = planned.named.given.clone();
        let (attributes, units) = self.execute(planned, shows, context).await?;
        Ok(ExecuteStatementOutput {
            items: Some(attributes.into_iter().collect()),
            next_token: None,
            consumed_capacity: told.consumed(&given, &units, Split::Untold),
            last_evaluated_key: None,
        })
    }
}
