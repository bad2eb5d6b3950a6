//! DeleteAlias; tested with CreateAlias.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{DeleteAliasRequest, ops::DeleteAlias};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, aliases, errors, target::Target};

impl Handle<DeleteAlias> for Lambda {
    async fn handle(
        &self,
        input: DeleteAliasRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteAliasRequest {
            function_name,
            name,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let name = aliases::name(&name)?;
        let deleted = self.functions.delete_alias(&target.name, &name).await;
        deleted.map_err(|error| errors::api(error, &target.arn))?;
        Ok(Nothing {})
    }
}
