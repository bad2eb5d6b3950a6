//! GetFunctionUrlConfig; tested with CreateFunctionUrlConfig.

use headwater_shapes_lambda::{
    GetFunctionUrlConfigRequest, GetFunctionUrlConfigResponse, ops::GetFunctionUrlConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, urls};

impl Handle<GetFunctionUrlConfig> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionUrlConfigRequest,
        context: &Context,
    ) -> Result<GetFunctionUrlConfigResponse, ApiError> {
        let GetFunctionUrlConfigRequest {
            function_name,
            qualifier,
        } = input;
        let options = self.functions.options();
        let (target, url) = urls::target(&function_name, qualifier.as_deref(), options)?;
        let found = self.functions.url(&url).await;
        let missing = "The resource you requested does not exist.";
        let found = found.map_err(|error| urls::no_function(error, &target, missing))?;
        Ok(urls::described(self, &found, context))
    }
}
