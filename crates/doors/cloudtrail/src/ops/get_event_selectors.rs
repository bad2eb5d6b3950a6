//! GetEventSelectors.

use headwater_shapes_cloudtrail::{
    GetEventSelectorsRequest, GetEventSelectorsResponse, ops::GetEventSelectors,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names, selectors};

impl Handle<GetEventSelectors> for CloudTrail {
    async fn handle(
        &self,
        input: GetEventSelectorsRequest,
        context: &Context,
    ) -> Result<GetEventSelectorsResponse, ApiError> {
        let GetEventSelectorsRequest { trail_name } = input;
        let name = names::name(&trail_name, context)?;
        let trail = self.store.trail(&name).await.map_err(api)?;
        Ok(GetEventSelectorsResponse {
            trail_arn: Some(names::arn(&name, context)),
            event_selectors: Some(selectors::shown(&trail.settings.wanted)),
            advanced_event_selectors: None,
        })
    }
}
