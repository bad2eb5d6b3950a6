//! GetFunctionEventInvokeConfig; tested in `event_settings`.

use headwater_shapes_lambda::{
    FunctionEventInvokeConfig, GetFunctionEventInvokeConfigRequest,
    ops::GetFunctionEventInvokeConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, event_settings};

impl Handle<GetFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionEventInvokeConfigRequest,
        _context: &Context,
    ) -> Result<FunctionEventInvokeConfig, ApiError> {
        let GetFunctionEventInvokeConfigRequest {
            function_name,
            qualifier,
        } = input;
        let (part, arn) = event_settings::part(self, &function_name, qualifier.as_deref())?;
        let found = self.functions.event_settings(&part).await;
        let found = found.map_err(|error| event_settings::api(error, &arn))?;
        let kept = found.ok_or_else(|| event_settings::none(&arn))?;
        Ok(event_settings::config(kept, arn))
    }
}
