//! GetAlias; tested with CreateAlias.

use headwater_functions::Error;
use headwater_shapes_lambda::{AliasConfiguration, GetAliasRequest, ops::GetAlias};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, aliases, errors, target::Target};

impl Handle<GetAlias> for Lambda {
    async fn handle(
        &self,
        input: GetAliasRequest,
        _context: &Context,
    ) -> Result<AliasConfiguration, ApiError> {
        let GetAliasRequest {
            function_name,
            name,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let name = aliases::name(&name)?;
        let found = self.functions.alias(&target.name, &name).await;
        let alias = found.map_err(|error| match error {
            Error::NoAlias(_) => {
                let arn = aliases::arn(&target, &name);
                errors::not_found(format!("Cannot find alias arn: {arn}"))
            }
            other => errors::api(other, &target.arn),
        })?;
        Ok(aliases::configuration(alias, &target))
    }
}
