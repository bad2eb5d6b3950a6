//! ListEventSourceMappings: a page of at most 100, as on AWS.

use headwater_mappings::Mapping;
use headwater_shapes_lambda::{
    ListEventSourceMappingsRequest, ListEventSourceMappingsResponse, ops::ListEventSourceMappings,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, target::Target};

/// Mappings in one answer, whatever was asked for.
const PAGE: usize = 100;

impl Handle<ListEventSourceMappings> for Lambda {
    async fn handle(
        &self,
        input: ListEventSourceMappingsRequest,
        _context: &Context,
    ) -> Result<ListEventSourceMappingsResponse, ApiError> {
        let ListEventSourceMappingsRequest {
            event_source_arn,
            function_name,
            marker,
            max_items,
        } = input;
        let options = self.functions.options();
        let target = function_name.map(|name| Target::parse(&name, None, options));
        let function = target.transpose()?.map(|target| target.qualified_arn());
        let is_wanted = |mapping: &Mapping| {
            let is = |wanted: &Option<String>, arn: String| {
                wanted.as_ref().is_none_or(|wanted| *wanted == arn)
            };
            is(&event_source_arn, mapping.source.to_string())
                && is(&function, mapping.function.to_string())
        };
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let mut found = self.mappings.list(marker.as_deref(), limit + 1, is_wanted);
        let more = found.len() > limit;
        found.truncate(limit);
        let next_marker = found.last().filter(|_| more).map(|last| last.id.clone());
        let shown = found.iter().map(|mapping| self.shown_mapping(mapping));
        // One that was deleted meanwhile is left out.
        let shown = shown.filter_map(Result::ok).collect();
        Ok(ListEventSourceMappingsResponse {
            next_marker,
            event_source_mappings: Some(shown),
        })
    }
}
