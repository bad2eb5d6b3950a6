//! StartLogging.

use headwater_shapes_cloudtrail::{StartLoggingRequest, StartLoggingResponse, ops::StartLogging};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names};

impl Handle<StartLogging> for CloudTrail {
    async fn handle(
        &self,
        input: StartLoggingRequest,
        context: &Context,
    ) -> Result<StartLoggingResponse, ApiError> {
        let StartLoggingRequest { name } = input;
        let name = names::name(&name, context)?;
        self.store.start(&name).await.map_err(api)?;
        Ok(StartLoggingResponse {})
    }
}
