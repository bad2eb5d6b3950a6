//! ListLayers and ListLayerVersions: pages of at most 50, as on AWS.

use headwater_functions::LayerVersion;
use headwater_shapes_lambda::{
    LayersListItem, ListLayerVersionsRequest, ListLayerVersionsResponse, ListLayersRequest,
    ListLayersResponse,
    ops::{ListLayerVersions, ListLayers},
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, errors,
    layers::{self, Compatible},
    ops::list_functions::PAGE,
};

impl Handle<ListLayers> for Lambda {
    async fn handle(
        &self,
        input: ListLayersRequest,
        _context: &Context,
    ) -> Result<ListLayersResponse, ApiError> {
        let ListLayersRequest {
            compatible_architecture,
            compatible_runtime,
            marker,
            max_items,
        } = input;
        let wish = Compatible::new(compatible_runtime, compatible_architecture)?;
        let options = self.functions.options();
        let found = self.functions.layers(|version| wish.fits(version)).await;
        let found = found.map_err(errors::other)?;
        let after = |version: &LayerVersion| {
            marker
                .as_ref()
                .is_none_or(|last| version.name.to_string() > *last)
        };
        let (page, more) = page(found.into_iter().filter(after), max_items);
        Ok(ListLayersResponse {
            next_marker: page
                .last()
                .filter(|_| more)
                .map(|last| last.name.to_string()),
            layers: Some(
                page.into_iter()
                    .map(|version| LayersListItem {
                        layer_name: Some(version.name.to_string()),
                        layer_arn: Some(options.layer_arn(&version.name).to_string()),
                        latest_matching_version: Some(layers::listed(version, options)),
                    })
                    .collect(),
            ),
        })
    }
}

impl Handle<ListLayerVersions> for Lambda {
    async fn handle(
        &self,
        input: ListLayerVersionsRequest,
        _context: &Context,
    ) -> Result<ListLayerVersionsResponse, ApiError> {
        let ListLayerVersionsRequest {
            compatible_architecture,
            compatible_runtime,
            layer_name,
            marker,
            max_items,
        } = input;
        let wish = Compatible::new(compatible_runtime, compatible_architecture)?;
        let options = self.functions.options();
        let name = layers::name(&layer_name, options)?;
        let found = self.functions.layer_versions(&name).await;
        let found = found.map_err(errors::other)?.into_iter();
        // The newest comes first, so the next page has what is older.
        let before = marker.as_deref().map_or(Ok(u64::MAX), str::parse);
        let before = before.map_err(|_| errors::invalid_parameter("Invalid Marker"))?;
        let fitting = found.filter(|version| version.number < before && wish.fits(version));
        let (page, more) = page(fitting, max_items);
        Ok(ListLayerVersionsResponse {
            next_marker: page
                .last()
                .filter(|_| more)
                .map(|last| last.number.to_string()),
            layer_versions: Some(
                page.into_iter()
                    .map(|version| layers::listed(version, options))
                    .collect(),
            ),
        })
    }
}

/// The first of them, and whether there are more.
pub(super) fn page<T>(all: impl Iterator<Item = T>, max_items: Option<i32>) -> (Vec<T>, bool) {
    let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
    let mut page: Vec<T> = all.take(limit + 1).collect();
    let more = page.len() > limit;
    page.truncate(limit);
    (page, more)
}
