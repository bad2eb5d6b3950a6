//! DeleteFunction.

use headwater_shapes_lambda::{DeleteFunctionRequest, DeleteFunctionResponse, ops::DeleteFunction};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, errors,
    target::{LATEST, Target},
};

impl Handle<DeleteFunction> for Lambda {
    async fn handle(
        &self,
        input: DeleteFunctionRequest,
        _context: &Context,
    ) -> Result<DeleteFunctionResponse, ApiError> {
        let DeleteFunctionRequest {
            function_name,
            qualifier,
        } = input;
        let target = Target::parse(
            &function_name,
            qualifier.as_deref(),
            self.functions.options(),
        )?;
        let deleted = match target.qualifier.as_deref() {
            None => self.functions.delete(&target.name).await,
            Some(LATEST) => {
                return Err(errors::invalid_parameter(
                    "$LATEST version cannot be deleted without deleting the function.",
                ));
            }
            Some(alias) if is_alias(alias) => {
                return Err(errors::invalid_parameter(
                    "Deletion of aliases is not currently supported.",
                ));
            }
            Some(version) => match version.parse() {
                Ok(number) => self.functions.delete_version(&target.name, number).await,
                // As on AWS, a version that is not there is as good as deleted.
                Err(_) => self.functions.get(&target.name).await.map(drop),
            },
        };
        deleted.map_err(|error| errors::api(error, &target.arn))?;
        Ok(DeleteFunctionResponse {
            status_code: Some(204),
        })
    }
}

/// Whether a qualifier could name an alias: what holds `$` or nothing but digits does not.
fn is_alias(qualifier: &str) -> bool {
    !qualifier.contains('$') && qualifier.bytes().any(|byte| !byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, DeleteFunction, GetFunction};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn a_deleted_function_is_gone() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let latest = world
            .refused::<DeleteFunction>(json!({ "FunctionName": "f", "Qualifier": "$LATEST" }))
            .await;
        assert_eq!(
            latest.1,
            "$LATEST version cannot be deleted without deleting the function."
        );
        let alias = json!({ "FunctionName": "f", "Qualifier": "live" });
        assert_eq!(
            world.refused::<DeleteFunction>(alias).await.1,
            "Deletion of aliases is not currently supported."
        );
        let version = json!({ "FunctionName": "f", "Qualifier": "1233" });
        world.ok::<DeleteFunction>(version).await;
        let name = json!({ "FunctionName": "f" });
        assert_eq!(
            world.ok::<DeleteFunction>(name.clone()).await,
            json!({ "StatusCode": 204 })
        );
        let text = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:f";
        let gone = ("ResourceNotFoundException".to_owned(), text.to_owned());
        assert_eq!(world.refused::<DeleteFunction>(name.clone()).await, gone);
        assert_eq!(world.refused::<GetFunction>(name).await, gone);
    }
}
