//! DeleteFunctionEventInvokeConfig; tested in `event_settings`.

use headwater_shapes::Nothing;
use headwater_shapes_lambda::{
    DeleteFunctionEventInvokeConfigRequest, ops::DeleteFunctionEventInvokeConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, event_settings};

impl Handle<DeleteFunctionEventInvokeConfig> for Lambda {
    async fn handle(
        &self,
        input: DeleteFunctionEventInvokeConfigRequest,
        _context: &Context,
    ) -> Result<Nothing, ApiError> {
        let DeleteFunctionEventInvokeConfigRequest {
            function_name,
            qualifier,
        } = input;
        let (part, arn) = event_settings::part(self, &function_name, qualifier.as_deref())?;
        let had = self.functions.remove_event_settings(part).await;
        match had.map_err(|error| event_settings::api(error, &arn))? {
            true => Ok(Nothing {}),
            false => Err(event_settings::none(&arn)),
        }
    }
}
