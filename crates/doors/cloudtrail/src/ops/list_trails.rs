//! ListTrails. There are few: one page has them all.

use headwater_shapes_cloudtrail::{
    ListTrailsRequest, ListTrailsResponse, TrailInfo, errors as shapes, ops::ListTrails,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, errors::api, names::arn};

impl Handle<ListTrails> for CloudTrail {
    async fn handle(
        &self,
        input: ListTrailsRequest,
        context: &Context,
    ) -> Result<ListTrailsResponse, ApiError> {
        let ListTrailsRequest { next_token } = input;
        if next_token.is_some() {
            let text = "The next token is not valid.";
            return Err(ApiError::of(&shapes::INVALID_NEXT_TOKEN_EXCEPTION, text));
        }
        let trails = self.store.trails().await.map_err(api)?.into_iter();
        let trails = trails.map(|(name, _)| TrailInfo {
            trail_arn: Some(arn(&name, context)),
            home_region: Some(context.region.0.clone()),
            name: Some(name),
        });
        Ok(ListTrailsResponse {
            trails: Some(trails.collect()),
            next_token: None,
        })
    }
}
