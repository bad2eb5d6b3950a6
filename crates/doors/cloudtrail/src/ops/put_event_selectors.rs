//! PutEventSelectors: reads and writes of management events.

use headwater_shapes_cloudtrail::{
    PutEventSelectorsRequest, PutEventSelectorsResponse, ops::PutEventSelectors,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    CloudTrail,
    errors::{api, refuse},
    names, selectors,
};

impl Handle<PutEventSelectors> for CloudTrail {
    async fn handle(
        &self,
        input: PutEventSelectorsRequest,
        context: &Context,
    ) -> Result<PutEventSelectorsResponse, ApiError> {
        let PutEventSelectorsRequest {
            trail_name,
            event_selectors,
            advanced_event_selectors,
        } = input;
        refuse(advanced_event_selectors.is_some(), "AdvancedEventSelectors")?;
        let name = names::name(&trail_name, context)?;
        let wanted = selectors::wanted(event_selectors.unwrap_or_default())?;
        let set = self
            .store
            .set(&name, move |settings| settings.wanted = wanted);
        let trail = set.await.map_err(api)?;
        Ok(PutEventSelectorsResponse {
            trail_arn: Some(names::arn(&name, context)),
            event_selectors: Some(selectors::shown(&trail.settings.wanted)),
            advanced_event_selectors: None,
        })
    }
}
