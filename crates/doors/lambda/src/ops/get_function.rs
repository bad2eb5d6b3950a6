//! GetFunction.

use headwater_shapes_lambda::{
    Concurrency, FunctionCodeLocation, GetFunctionRequest, GetFunctionResponse, ops::GetFunction,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, concurrency,
    describe::{self, Stage},
    errors,
    target::Target,
};

impl Handle<GetFunction> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionRequest,
        context: &Context,
    ) -> Result<GetFunctionResponse, ApiError> {
        let GetFunctionRequest {
            function_name,
            qualifier,
        } = input;
        let qualifier = qualifier.as_deref();
        let options = self.functions.options();
        let target = Target::parse(&function_name, qualifier, options)?;
        let (version, arn) = (target.version()?, target.qualified_arn());
        let found = self.functions.get_version(&target.name, version.as_ref());
        let function = found.await.map_err(|error| errors::api(error, &arn))?;
        // Tags are the function's, whichever version of it is asked for.
        let latest = self.functions.get(&target.name).await;
        let tags = latest.map_err(|error| errors::api(error, &arn))?.tags;
        let reserved = self.functions.claims(&target.name).reserved;
        let code = FunctionCodeLocation {
            // The store of packages, which clients take for S3's, as they would on AWS.
            repository_type: Some("S3".to_owned()),
            location: Some(self.locations.of(&function, options, context)),
            ..Default::default()
        };
        Ok(GetFunctionResponse {
            configuration: Some(describe::configuration(
                &function,
                arn,
                options,
                Stage::Done,
            )),
            code: Some(code),
            tags: (!tags.is_empty()).then_some(tags),
            concurrency: reserved.map(|reserved| Concurrency {
                reserved_concurrent_executions: Some(concurrency::shown(reserved)),
            }),
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
        assert_eq!(by_arn["Configuration"], crate::testing::settled(&made));
        assert_eq!(by_arn["Tags"], json!(null));
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
        let none = json!({ "FunctionName": "none", "Qualifier": "$LATEST" });
        let text =
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none:$LATEST";
        assert_eq!(world.refused::<GetFunction>(none).await.1, text);
    }
}
