//! ListAliases: no function has any; tested with GetFunctionCodeSigningConfig.

use headwater_shapes_lambda::{ListAliasesRequest, ListAliasesResponse, ops::ListAliases};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, target::Target};

impl Handle<ListAliases> for Lambda {
    async fn handle(
        &self,
        input: ListAliasesRequest,
        _context: &Context,
    ) -> Result<ListAliasesResponse, ApiError> {
        let ListAliasesRequest {
            function_name,
            // They choose among aliases, of which there are none.
            function_version: _,
            marker: _,
            max_items: _,
        } = input;
        let target = Target::latest(&function_name, None, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        found.map_err(|error| errors::api(error, &target.arn))?;
        Ok(ListAliasesResponse {
            next_marker: None,
            aliases: Some(Vec::new()),
        })
    }
}
