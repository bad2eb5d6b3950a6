//! ListAliases; tested with CreateAlias.

use headwater_shapes_lambda::{ListAliasesRequest, ListAliasesResponse, ops::ListAliases};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, aliases, errors, ops::list_functions::PAGE, target::Target};

impl Handle<ListAliases> for Lambda {
    async fn handle(
        &self,
        input: ListAliasesRequest,
        _context: &Context,
    ) -> Result<ListAliasesResponse, ApiError> {
        let ListAliasesRequest {
            function_name,
            function_version,
            marker,
            max_items,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let version = function_version.as_deref().map(aliases::version);
        let version = version.transpose()?;
        let found = self.functions.aliases(&target.name).await;
        let found = found.map_err(|error| errors::api(error, &target.arn))?;
        let mut left: Vec<_> = found
            .into_iter()
            .filter(|alias| version.is_none_or(|version| version == alias.version))
            .filter(|alias| {
                marker
                    .as_ref()
                    .is_none_or(|last| alias.name.to_string() > *last)
            })
            .collect();
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let more = left.len() > limit;
        left.truncate(limit);
        let last = left.last().filter(|_| more);
        Ok(ListAliasesResponse {
            next_marker: last.map(|last| last.name.to_string()),
            aliases: Some(
                left.into_iter()
                    .map(|alias| aliases::configuration(alias, &target))
                    .collect(),
            ),
        })
    }
}
