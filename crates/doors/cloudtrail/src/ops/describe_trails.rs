//! DescribeTrails. A trail that is named and is not there is left out.

use headwater_shapes_cloudtrail::{
    DescribeTrailsRequest, DescribeTrailsResponse, ops::DescribeTrails,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{CloudTrail, answers::shown, errors::api, names};

impl Handle<DescribeTrails> for CloudTrail {
    async fn handle(
        &self,
        input: DescribeTrailsRequest,
        context: &Context,
    ) -> Result<DescribeTrailsResponse, ApiError> {
        let DescribeTrailsRequest {
            trail_name_list,
            // No trail has shadows in other regions.
            include_shadow_trails: _,
        } = input;
        let named = trail_name_list.filter(|names| !names.is_empty());
        let named: Option<Vec<String>> = match named {
            None => None,
            Some(named) => {
                let named = named.iter().map(|name| names::name(name, context));
                Some(named.collect::<Result<_, _>>()?)
            }
        };
        let mut trails = self.store.trails().await.map_err(api)?;
        trails.retain(|(name, _)| named.as_ref().is_none_or(|named| named.contains(name)));
        let shown = trails
            .iter()
            .map(|(name, trail)| shown(name, trail, context));
        Ok(DescribeTrailsResponse {
            trail_list: Some(shown.collect()),
        })
    }
}
