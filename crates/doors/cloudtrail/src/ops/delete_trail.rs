//! DeleteTrail. Objects of the trail stay where they are.

use headwater_shapes_cloudtrail::{DeleteTrailRequest, DeleteTrailResponse, ops::DeleteTrail};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names};

impl Handle<DeleteTrail> for CloudTrail {
    async fn handle(
        &self,
        input: DeleteTrailRequest,
        context: &Context,
    ) -> Result<DeleteTrailResponse, ApiError> {
        let DeleteTrailRequest { name } = input;
        let name = names::name(&name, context)?;
        self.store.delete(&name).await.map_err(api)?;
        Ok(DeleteTrailResponse {})
    }
}
