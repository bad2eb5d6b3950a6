//! StopLogging. What was logged before is delivered still.

use headwater_shapes_cloudtrail::{StopLoggingRequest, StopLoggingResponse, ops::StopLogging};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names};

impl Handle<StopLogging> for CloudTrail {
    async fn handle(
        &self,
        input: StopLoggingRequest,
        context: &Context,
    ) -> Result<StopLoggingResponse, ApiError> {
        let StopLoggingRequest { name } = input;
        let name = names::name(&name, context)?;
        self.store.stop(&name).await.map_err(api)?;
        Ok(StopLoggingResponse {})
    }
}
