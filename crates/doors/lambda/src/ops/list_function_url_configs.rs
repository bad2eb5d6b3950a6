//! ListFunctionUrlConfigs; tested with CreateFunctionUrlConfig.

use headwater_functions::FunctionUrl;
use headwater_shapes_lambda::{
    ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse, ops::ListFunctionUrlConfigs,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, ops::list_layers::page, target::Target, urls};

impl Handle<ListFunctionUrlConfigs> for Lambda {
    async fn handle(
        &self,
        input: ListFunctionUrlConfigsRequest,
        context: &Context,
    ) -> Result<ListFunctionUrlConfigsResponse, ApiError> {
        let ListFunctionUrlConfigsRequest {
            function_name,
            marker,
            max_items,
        } = input;
        let target = Target::parse(&function_name, None, self.functions.options())?;
        let found = self.functions.urls(&target.name).await;
        let missing = "Function does not exist";
        let found = found.map_err(|error| urls::no_function(error, &target, missing))?;
        let place = |url: &FunctionUrl| {
            let alias = url.target.alias.as_ref();
            alias.map_or_else(|| "$LATEST".to_owned(), ToString::to_string)
        };
        let after = |url: &FunctionUrl| marker.as_ref().is_none_or(|last| place(url) > *last);
        let (page, more) = page(found.into_iter().filter(after), max_items);
        Ok(ListFunctionUrlConfigsResponse {
            next_marker: page.last().filter(|_| more).map(place),
            function_url_configs: urls::page_of(self, &page, context),
        })
    }
}
