//! ListTables.

use headwater_shapes_dynamodb::{ListTablesInput, ListTablesOutput, ops::ListTables};
use headwater_wire::{ApiError, Context, Handle};

use crate::Dynamo;

/// Names of a page. (Source: the API reference, "ListTables".)
const PAGE: i32 = 100;

impl Handle<ListTables> for Dynamo {
    async fn handle(
        &self,
        input: ListTablesInput,
        _context: &Context,
    ) -> Result<ListTablesOutput, ApiError> {
        let ListTablesInput {
            exclusive_start_table_name,
            limit,
        } = input;
        let limit = usize::try_from(limit.unwrap_or(PAGE)).unwrap_or_default();
        let after = exclusive_start_table_name.as_deref();
        let (names, has_more) = self.tables.list(after, limit);
        let last = names.last().filter(|_| has_more).cloned();
        Ok(ListTablesOutput {
            table_names: Some(names),
            last_evaluated_table_name: last,
        })
    }
}
