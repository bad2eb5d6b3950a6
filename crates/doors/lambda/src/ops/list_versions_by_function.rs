//! ListVersionsByFunction: there is the latest, and no other.

use headwater_functions::LATEST;
use headwater_shapes_lambda::{
    ListVersionsByFunctionRequest, ListVersionsByFunctionResponse, ops::ListVersionsByFunction,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda,
    describe::{self, Stage},
    errors,
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
            // One version is a page of any size, and the first.
            marker: _,
            max_items: _,
        } = input;
        let options = self.functions.options();
        let target = Target::latest(&function_name, None, options)?;
        let found = self.functions.get(&target.name).await;
        let function = found.map_err(|error| errors::api(error, &target.arn))?;
        let arn = format!("{}:{LATEST}", target.arn);
        let latest = describe::configuration(&function, arn, options, Stage::Listed);
        Ok(ListVersionsByFunctionResponse {
            next_marker: None,
            versions: Some(vec![latest]),
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, ListFunctions, ListVersionsByFunction};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn the_latest_version_is_the_only_one() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let name = json!({ "FunctionName": "f" });
        let versions = world.ok::<ListVersionsByFunction>(name).await;
        let all = world.ok::<ListFunctions>(json!({ "FunctionVersion": "ALL" }));
        assert_eq!(versions["Versions"], all.await["Functions"]);
        let none = json!({ "FunctionName": "none" });
        let (code, _) = world.refused::<ListVersionsByFunction>(none).await;
        assert_eq!(code, "ResourceNotFoundException");
    }
}
