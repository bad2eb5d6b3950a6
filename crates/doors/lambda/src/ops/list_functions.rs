//! ListFunctions: a page of at most 50, as on AWS.

use headwater_functions::{Error, Function, Version};
use headwater_shapes_lambda::{ListFunctionsRequest, ListFunctionsResponse, ops::ListFunctions};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors,
};

/// Functions, versions or aliases in one answer, whatever was asked for.
pub(crate) const PAGE: usize = 50;

impl Handle<ListFunctions> for Lambda {
    async fn handle(
        &self,
        input: ListFunctionsRequest,
        _context: &Context,
    ) -> Result<ListFunctionsResponse, ApiError> {
        let ListFunctionsRequest {
            master_region,
            function_version,
            marker,
            max_items,
        } = input;
        if master_region.is_some() {
            return Err(ApiError::not_supported("MasterRegion"));
        }
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let all_versions = function_version.as_deref() == Some("ALL");
        let mut found = match all_versions {
            true => self.all_versions(marker.as_deref(), limit + 1).await,
            false => self.functions.list(marker.as_deref(), limit + 1).await,
        }
        .map_err(errors::other)?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_marker = found
            .last()
            .filter(|_| more)
            .map(|last| match last.version {
                Version::Latest => last.name.to_string(),
                Version::Published(number) => format!("{}:{number}", last.name),
            });
        let options = self.functions.options();
        let shown = found.iter().map(|function| {
            let arn = options.function_arn(&function.name);
            let arn = match all_versions {
                true => format!("{arn}:{}", function.version),
                false => arn.to_string(),
            };
            describe::configuration(function, arn, options, Stage::Listed)
        });
        Ok(ListFunctionsResponse {
            next_marker,
            functions: Some(shown.collect()),
        })
    }
}

impl Lambda {
    /// At most `limit` versions of all functions, the latest of each first, that come after `marker`: a function's name,
    /// with a number behind it where the last one was not the latest.
    async fn all_versions(
        &self,
        marker: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Function>, Error> {
        let mut found = Vec::new();
        let (mut after, number) = match marker.map(|marker| marker.split_once(':')) {
            Some(Some((name, number))) => (Some(name.to_owned()), number.parse().unwrap_or(0)),
            _ => (marker.map(str::to_owned), 0),
        };
        if let Some(name) = after.as_ref().and_then(|name| name.parse().ok()) {
            found = self.functions.versions(&name, number, limit).await?;
        }
        while found.len() < limit {
            let page = self.functions.list(after.as_deref(), 1).await?;
            let Some(latest) = page.into_iter().next() else {
                break;
            };
            let name = latest.name.clone();
            found.push(latest);
            let room = limit - found.len();
            found.extend(self.functions.versions(&name, 0, room).await?);
            after = Some(name.to_string());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, ListFunctions};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn functions_come_in_pages() {
        let world = World::new().await;
        assert_eq!(
            world.ok::<ListFunctions>(json!({})).await,
            json!({ "Functions": [] })
        );
        for name in ["a", "b", "c"] {
            world.ok::<CreateFunction>(function(name)).await;
        }
        let first = world.ok::<ListFunctions>(json!({ "MaxItems": 2 })).await;
        assert_eq!(first["Functions"].as_array().unwrap().len(), 2);
        for member in ["State", "LastUpdateStatus", "RuntimeVersionConfig"] {
            assert_eq!(first["Functions"][0][member], json!(null), "{member}");
        }
        let second = world
            .ok::<ListFunctions>(json!({ "Marker": first["NextMarker"], "FunctionVersion": "ALL" }))
            .await;
        let arn = "arn:aws:lambda:us-east-1:000000000000:function:c:$LATEST";
        assert_eq!(
            (
                &second["Functions"][0]["FunctionArn"],
                &second["NextMarker"]
            ),
            (&json!(arn), &json!(null))
        );
    }
}
