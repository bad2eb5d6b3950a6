//! UpdateAlias; tested with CreateAlias.

use headwater_functions::AliasChange;
use headwater_shapes_lambda::{AliasConfiguration, UpdateAliasRequest, ops::UpdateAlias};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, aliases,
    target::{LATEST, Target},
};

impl Handle<UpdateAlias> for Lambda {
    async fn handle(
        &self,
        input: UpdateAliasRequest,
        _context: &Context,
    ) -> Result<AliasConfiguration, ApiError> {
        let UpdateAliasRequest {
            function_name,
            name,
            function_version,
            description,
            routing_config,
            revision_id,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let name = aliases::name(&name)?;
        let version = function_version.as_deref();
        let change = AliasChange {
            version: version.map(aliases::version).transpose()?,
            description,
            weights: routing_config.map(aliases::weights).transpose()?,
            revision: revision_id,
        };
        let changed = self
            .functions
            .update_alias(&target.name, &name, change)
            .await;
        let version = version.unwrap_or(LATEST);
        let alias = changed.map_err(|error| aliases::api(error, &target, &name, version))?;
        Ok(aliases::configuration(alias, &target))
    }
}
