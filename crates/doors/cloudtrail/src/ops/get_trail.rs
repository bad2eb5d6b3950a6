//! GetTrail.

use headwater_shapes_cloudtrail::{GetTrailRequest, GetTrailResponse, ops::GetTrail};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, answers::shown, errors::api, names};

impl Handle<GetTrail> for CloudTrail {
    async fn handle(
        &self,
        input: GetTrailRequest,
        context: &Context,
    ) -> Result<GetTrailResponse, ApiError> {
        let GetTrailRequest { name } = input;
        let name = names::name(&name, context)?;
        let trail = self.store.trail(&name).await.map_err(api)?;
        Ok(GetTrailResponse {
            trail: Some(shown(&name, &trail, context)),
        })
    }
}
