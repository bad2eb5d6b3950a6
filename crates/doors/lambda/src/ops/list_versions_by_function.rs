//! ListVersionsByFunction: the latest, then those that were published.

use headwater_functions::Version;
use headwater_shapes_lambda::{
    ListVersionsByFunctionRequest, ListVersionsByFunctionResponse, ops::ListVersionsByFunction,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors,
    ops::list_functions::PAGE,
    target::Target,
};

impl Handle<ListVersionsByFunction> for Lambda {
    async fn handle(
        &self,
        input: ListVersionsByFunctionRequest,
        _context: &Context,
    ) -> Result<ListVersionsByFunctionResponse, ApiError> {
        let ListVersionsByFunctionRequest {
            function_name,
            marker,
            max_items,
        } = input;
        let options = self.functions.options();
        let target = Target::whole(&function_name, options)?;
        let failed = |error| errors::api(error, &target.arn);
        let latest = self.functions.get(&target.name).await.map_err(failed)?;
        let limit = max_items.map_or(PAGE, |max| PAGE.min(max.unsigned_abs() as usize));
        let after = marker.as_ref().map(|marker| marker.parse().unwrap_or(0));
        let published = self
            .functions
            .versions(&target.name, after.unwrap_or(0), limit + 1);
        let mut found = published.await.map_err(failed)?;
        if after.is_none() {
            found.insert(0, latest);
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next_marker = found
            .last()
            .filter(|_| more)
            .map(|last| match last.version {
                Version::Latest => "0".to_owned(),
                version => version.to_string(),
            });
        let shown = found.iter().map(|version| {
            let arn = format!("{}:{}", target.arn, version.version);
            describe::configuration(version, arn, options, Stage::Listed)
        });
        Ok(ListVersionsByFunctionResponse {
            next_marker,
            versions: Some(shown.collect()),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, ListFunctions, ListVersionsByFunction, PublishVersion,
    };
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn versions_come_in_pages() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let name = json!({ "FunctionName": "f" });
        world.ok::<PublishVersion>(name.clone()).await;
        let versions = world.ok::<ListVersionsByFunction>(name).await;
        let all = world.ok::<ListFunctions>(json!({ "FunctionVersion": "ALL" }));
        assert_eq!(versions["Versions"], all.await["Functions"]);
        let input = json!({ "FunctionName": "f", "MaxItems": 1 });
        let first = world.ok::<ListVersionsByFunction>(input).await;
        assert_eq!(first["Versions"][0], versions["Versions"][0]);
        let input = json!({ "FunctionName": "f", "Marker": first["NextMarker"] });
        let second = world.ok::<ListVersionsByFunction>(input).await;
        assert_eq!(second["Versions"][0], versions["Versions"][1]);
        assert_eq!(second["NextMarker"], json!(null));
        let none = json!({ "FunctionName": "none" });
        let (code, _) = world.refused::<ListVersionsByFunction>(none).await;
        assert_eq!(code, "ResourceNotFoundException");
    }
}
