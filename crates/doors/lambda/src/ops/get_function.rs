//! GetFunction. There is no place to fetch the code from, so the answer names none.

use headwater_shapes_lambda::{GetFunctionRequest, GetFunctionResponse, ops::GetFunction};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, describe, errors, target::Target};

impl Handle<GetFunction> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionRequest,
        _context: &Context,
    ) -> Result<GetFunctionResponse, ApiError> {
        let GetFunctionRequest {
            function_name,
            qualifier,
        } = input;
        let qualifier = qualifier.as_deref();
        let target = Target::latest(&function_name, qualifier, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        let function = found.map_err(|error| errors::api(error, &target.arn))?;
        Ok(GetFunctionResponse {
            configuration: Some(describe::configuration(&function, target.qualified_arn())),
            tags: (!function.tags.is_empty()).then_some(function.tags),
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, GetFunction, GetFunctionConfiguration};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn a_function_is_found_by_name_arn_and_version() {
        let world = World::new().await;
        let made = world.ok::<CreateFunction>(function("f")).await;
        let arn = made["FunctionArn"].as_str().unwrap();
        let by_arn = world
            .ok::<GetFunction>(json!({ "FunctionName": arn }))
            .await;
        assert_eq!(by_arn, json!({ "Configuration": made }));
        let latest = json!({ "FunctionName": "f", "Qualifier": "$LATEST" });
        let latest = world.ok::<GetFunctionConfiguration>(latest).await;
        assert_eq!(latest["FunctionArn"], format!("{arn}:$LATEST"));
        let version = world
            .refused::<GetFunction>(json!({ "FunctionName": "f:1" }))
            .await;
        assert_eq!(
            version,
            (
                "ResourceNotFoundException".into(),
                format!("Function not found: {arn}:1")
            )
        );
    }
}
