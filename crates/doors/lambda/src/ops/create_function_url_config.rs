//! CreateFunctionUrlConfig.

use headwater_shapes_lambda::{
    CreateFunctionUrlConfigRequest, CreateFunctionUrlConfigResponse, ops::CreateFunctionUrlConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, urls};

impl Handle<CreateFunctionUrlConfig> for Lambda {
    async fn handle(
        &self,
        input: CreateFunctionUrlConfigRequest,
        context: &Context,
    ) -> Result<CreateFunctionUrlConfigResponse, ApiError> {
        let CreateFunctionUrlConfigRequest {
            function_name,
            qualifier,
            auth_type,
            cors,
            invoke_mode,
        } = input;
        let options = self.functions.options();
        let (target, url) = urls::target(&function_name, qualifier.as_deref(), options)?;
        let settings = urls::wished(&auth_type, cors, invoke_mode);
        let made = self.functions.create_url(&url, settings).await;
        let missing = "Function does not exist";
        let made = made.map_err(|error| urls::no_function(error, &target, missing))?;
        Ok(urls::created(self, &made, context))
    }
}
