//! AddPermission.

use headwater_functions::Statement;
use headwater_shapes_lambda::{AddPermissionRequest, AddPermissionResponse, ops::AddPermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, permissions};

impl Handle<AddPermission> for Lambda {
    async fn handle(
        &self,
        input: AddPermissionRequest,
        _context: &Context,
    ) -> Result<AddPermissionResponse, ApiError> {
        let (target, part) = self.part(&input.function_name, input.qualifier.as_deref())?;
        let (id, revision) = (input.statement_id.clone(), input.revision_id.clone());
        let text = permissions::statement(input, &self.functions, &part)?;
        let statement = Statement {
            id,
            text: text.clone(),
        };
        let added = self
            .functions
            .add_statement(part, statement, revision)
            .await;
        added.map_err(|error| permissions::api(error, &target))?;
        Ok(AddPermissionResponse {
            statement: Some(text),
        })
    }
}

#[cfg(test)]
mod tests;
