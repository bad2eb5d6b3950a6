//! GetFunctionCodeSigningConfig: no function's code need be signed.

use headwater_shapes_lambda::{
    GetFunctionCodeSigningConfigRequest, GetFunctionCodeSigningConfigResponse,
    ops::GetFunctionCodeSigningConfig,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{Lambda, errors, target::Target};

impl Handle<GetFunctionCodeSigningConfig> for Lambda {
    async fn handle(
        &self,
        input: GetFunctionCodeSigningConfigRequest,
        _context: &Context,
    ) -> Result<GetFunctionCodeSigningConfigResponse, ApiError> {
        let GetFunctionCodeSigningConfigRequest { function_name } = input;
        let target = Target::whole(&function_name, self.functions.options())?;
        let found = self.functions.get(&target.name).await;
        found.map_err(|error| errors::api(error, &target.arn))?;
        Ok(GetFunctionCodeSigningConfigResponse::default())
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, GetFunctionCodeSigningConfig, GetFunctionConcurrency, GetPolicy,
        ListAliases,
    };
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn a_function_has_none_of_what_is_not_built() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let (f, none) = (
            json!({ "FunctionName": "f" }),
            json!({ "FunctionName": "none" }),
        );
        let missing = (
            "ResourceNotFoundException".to_owned(),
            "Function not found: arn:aws:lambda:us-east-1:000000000000:function:none".to_owned(),
        );
        let signing = world.ok::<GetFunctionCodeSigningConfig>(f.clone());
        assert_eq!(signing.await, json!({}));
        let refused = world.refused::<GetFunctionCodeSigningConfig>(none.clone());
        assert_eq!(refused.await, missing);
        let concurrency = world.ok::<GetFunctionConcurrency>(f.clone());
        assert_eq!(concurrency.await, json!({}));
        let refused = world.refused::<GetFunctionConcurrency>(none.clone());
        assert_eq!(refused.await, missing);
        let aliases = world.ok::<ListAliases>(f.clone());
        assert_eq!(aliases.await, json!({ "Aliases": [] }));
        assert_eq!(world.refused::<ListAliases>(none.clone()).await, missing);
        for input in [f, none] {
            let (code, text) = world.refused::<GetPolicy>(input).await;
            assert_eq!(code, "ResourceNotFoundException");
            assert_eq!(text, "The resource you requested does not exist.");
        }
    }
}
