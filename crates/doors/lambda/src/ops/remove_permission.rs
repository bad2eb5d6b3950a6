//! RemovePermission; tested with AddPermission.

use headwater_functions::Error;
use headwater_shapes::Nothing;
use headwater_shapes_lambda::{RemovePermissionRequest, ops::RemovePermission};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, permissions};

impl Handle<RemovePermission> for Lambda {
    async fn handle(
        &self,
        input: RemovePermissionRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let RemovePermissionRequest {
            function_name,
            statement_id,
            qualifier,
            revision_id,
        } = input;
        let (target, part) = self.part(&function_name, qualifier.as_deref())?;
        let removed = self
            .functions
            .remove_statement(part, statement_id, revision_id)
            .await;
        removed.map_err(|error| match error {
            Error::NotFound(_) | Error::NoVersion(_) => {
                errors::not_found(format!("No policy found for: {}", target.qualified_arn()))
            }
            other => permissions::api(other, &target),
        })?;
        Ok(Nothing {})
    }
}
