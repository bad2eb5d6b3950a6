//! ListFunctionEventInvokeConfigs; tested in `event_settings`.

use headwater_shapes_lambda::{
    ListFunctionEventInvokeConfigsRequest, ListFunctionEventInvokeConfigsResponse,
    ops::ListFunctionEventInvokeConfigs,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, event_settings, ops::list_functions::PAGE, target::Target};

impl Handle<ListFunctionEventInvokeConfigs> for Lambda {
    async fn handle(
        &self,
        input: ListFunctionEventInvokeConfigsRequest,
        _context: &Context,
    ) -> Result<ListFunctionEventInvokeConfigsResponse, ApiError> {
        let ListFunctionEventInvokeConfigsRequest {
            function_name,
            marker,
            max_items,
        } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let found = self.functions.all_event_settings(&target.name).await;
        let arn = target.arn.to_string();
        let found = found.map_err(|error| event_settings::api(error, &arn))?;
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let mut left: Vec<_> = found
            .into_iter()
            .filter(|(key, _)| marker.as_ref().is_none_or(|last| key > last))
            .collect();
        let more = left.len() > limit;
        left.truncate(limit);
        let last = left.last().filter(|_| more);
        Ok(ListFunctionEventInvokeConfigsResponse {
            next_marker: last.map(|(key, _)| key.clone()),
            function_event_invoke_configs: Some(
                left.into_iter()
                    .map(|(key, kept)| event_settings::config(kept, format!("{arn}:{key}")))
                    .collect(),
            ),
        })
    }
}
