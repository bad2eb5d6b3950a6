//! UpdateFunctionCode.

use headwater_shapes_lambda::{
    FunctionCode, FunctionConfiguration, UpdateFunctionCodeRequest, ops::UpdateFunctionCode,
};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, code,
    describe::{self, Stage},
    errors, settings,
    target::Target,
};

impl Handle<UpdateFunctionCode> for Lambda {
    async fn handle(
        &self,
        input: UpdateFunctionCodeRequest,
        _context: &Context,
    ) -> Result<FunctionConfiguration, ApiError> {
        let UpdateFunctionCodeRequest {
            function_name,
            zip_file,
            s3_bucket,
            s3_key,
            s3_object_version,
            s3_object_storage_mode,
            image_uri,
            architectures,
            publish,
            publish_to,
            dry_run,
            revision_id,
            source_kms_key_arn,
        } = input;
        let options = self.functions.options();
        let target = Target::whole(&function_name, options)?;
        settings::check_architectures(&architectures)?;
        settings::check_publish_to(&publish_to)?;
        let given = FunctionCode {
            zip_file,
            s3_bucket,
            s3_key,
            s3_object_version,
            s3_object_storage_mode,
            image_uri,
            source_kms_key_arn,
        };
        let _room = code::room(&self.functions, &given).await;
        let package = code::package(&*self.code, given).await?;
        let (name, revision) = (&target.name, revision_id.as_deref());
        let (updated, stage) = if dry_run == Some(true) {
            let checked = self.functions.check_code(name, &package, revision).await;
            (checked, Stage::Done)
        } else if publish == Some(true) {
            // The answer is the new version then, and not the function.
            let updated = self.functions.update_code(name, package, revision, true);
            (updated.await, Stage::Creating)
        } else {
            let updated = self.functions.update_code(name, package, revision, false);
            (updated.await, Stage::Updating)
        };
        let function = updated.map_err(|error| errors::api(error, &target.arn))?;
        let arn = describe::version_arn(&function, options);
        Ok(describe::configuration(&function, arn, options, stage))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, GetFunctionConfiguration, Invoke, UpdateFunctionCode,
    };
    use serde_json::json;

    use crate::testing::{World, function, zip_of};

    #[tokio::test]
    async fn code_is_replaced_checked_or_left() {
        let world = World::new().await;
        let made = world.ok::<CreateFunction>(function("f")).await;
        let zip = zip_of("def handler(event, context): return 'new'");
        let dry = json!({ "FunctionName": "f", "ZipFile": zip, "DryRun": true });
        let dry = world.ok::<UpdateFunctionCode>(dry).await;
        assert_ne!(dry["CodeSha256"], made["CodeSha256"]);
        let kept = world.ok::<GetFunctionConfiguration>(json!({ "FunctionName": "f" }));
        let kept = kept.await;
        assert_eq!(kept, crate::testing::settled(&made));

        let stale = json!({ "FunctionName": "f", "ZipFile": zip, "RevisionId": "stale" });
        assert_eq!(
            world.refused::<UpdateFunctionCode>(stale).await.0,
            "PreconditionFailedException"
        );
        let right =
            json!({ "FunctionName": "f", "ZipFile": zip, "RevisionId": kept["RevisionId"] });
        let updated = world.ok::<UpdateFunctionCode>(right).await;
        assert_eq!(updated["CodeSha256"], dry["CodeSha256"]);
        assert_eq!(updated["LastUpdateStatus"], "InProgress");
        let answer = world.ok::<Invoke>(json!({ "FunctionName": "f" })).await;
        assert_eq!(answer["Payload"], "Im5ldyI=");
    }
}
