//! UpdateFunctionUrlConfig; tested with CreateFunctionUrlConfig.

use headwater_shapes_lambda::{
    UpdateFunctionUrlConfigRequest, UpdateFunctionUrlConfigResponse, ops::UpdateFunctionUrlConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, urls};

impl Handle<UpdateFunctionUrlConfig> for Lambda {
    async fn handle(
        &self,
        input: UpdateFunctionUrlConfigRequest,
        context: &Context,
    ) -> Result<UpdateFunctionUrlConfigResponse, ApiError> {
        let UpdateFunctionUrlConfigRequest {
            function_name,
            qualifier,
            auth_type,
            cors,
            invoke_mode,
        } = input;
        let options = self.functions.options();
        let (target, url) = urls::target(&function_name, qualifier.as_deref(), options)?;
        let change = urls::change(auth_type, cors, invoke_mode);
        let updated = self.functions.update_url(&url, change).await;
        let missing = "Function does not exist";
        let updated = updated.map_err(|error| urls::no_function(error, &target, missing))?;
        Ok(urls::updated(self, &updated, context))
    }
}
