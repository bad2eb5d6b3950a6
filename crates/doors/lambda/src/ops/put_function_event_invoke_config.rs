//! PutFunctionEventInvokeConfig.

use headwater_shapes_lambda::{
    FunctionEventInvokeConfig, PutFunctionEventInvokeConfigRequest,
    ops::PutFunctionEventInvokeConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    event_settings::{self, Wanted},
};

impl Handle<PutFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        input: PutFunctionEventInvokeConfigRequest,
        _context: &Context,
    ) -> Result<FunctionEventInvokeConfig, ApiError> {
        let PutFunctionEventInvokeConfigRequest {
            function_name,
            qualifier,
            maximum_retry_attempts: retries,
            maximum_event_age_in_seconds: age,
            destination_config: destinations,
        } = input;
        let (part, arn) = event_settings::part(self, &function_name, qualifier.as_deref())?;
        let wanted = Wanted {
            retries,
            age,
            destinations,
        };
        let change = wanted.change(&self.functions)?;
        let set = self.functions.set_event_settings(part, change, false);
        let kept = set
            .await
            .map_err(|error| event_settings::api(error, &arn))?;
        Ok(event_settings::config(kept, arn))
    }
}
