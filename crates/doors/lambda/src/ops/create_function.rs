//! CreateFunction.

use headwater_shapes_lambda::{CreateFunctionRequest, FunctionConfiguration, ops::CreateFunction};
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Lambda, code,
    describe::{self, Stage},
    errors, layers, settings, tags,
    target::Target,
};

impl Handle<CreateFunction> for Lambda {
    async fn handle(
        &self,
        input: CreateFunctionRequest,
        context: &Context,
    ) -> Result<FunctionConfiguration, ApiError> {
        let options = self.functions.options();
        let target = Target::new_function(&input.function_name, options)?;
        let layers = layers::resolve(&self.functions, input.layers.clone(), context).await?;
        let configuration = settings::create(&input, layers, &target)?;
        self.check_dead_letters(configuration.dead_letters.as_ref(), &target)
            .await?;
        let _room = code::room(&self.functions, &input.code).await;
        let package = code::package(&*self.code, input.code).await?;
        let tags = input.tags.unwrap_or_default();
        tags::check(&tags)?;
        let created = self
            .functions
            .create(
                target.name.clone(),
                configuration,
                tags,
                package,
                input.publish == Some(true),
            )
            .await;
        let function = created.map_err(|error| errors::api(error, &target.arn))?;
        Ok(describe::configuration(
            &function,
            target.arn.to_string(),
            options,
            Stage::Creating,
        ))
    }
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{CreateFunction, GetFunctionConfiguration};
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn a_function_is_made_with_awss_defaults() {
        let world = World::new().await;
        let made = world.ok::<CreateFunction>(function("f")).await;
        for (member, value) in [
            (
                "FunctionArn",
                json!("arn:aws:lambda:us-east-1:000000000000:function:f"),
            ),
            ("Timeout", json!(3)),
            ("MemorySize", json!(128)),
            ("Version", json!("$LATEST")),
            ("PackageType", json!("Zip")),
            ("State", json!("Pending")),
            ("StateReason", json!("The function is being created.")),
            ("StateReasonCode", json!("Creating")),
            ("LastUpdateStatus", json!(null)),
            ("Environment", json!(null)),
            ("Description", json!("")),
            ("EphemeralStorage", json!({ "Size": 512 })),
            ("TracingConfig", json!({ "Mode": "PassThrough" })),
            (
                "LoggingConfig",
                json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" }),
            ),
        ] {
            assert_eq!(made[member], value, "{member}");
        }
        let kept = world.ok::<GetFunctionConfiguration>(json!({ "FunctionName": "f" }));
        assert_eq!(kept.await, crate::testing::settled(&made));
        let (code, message) = world.refused::<CreateFunction>(function("f")).await;
        assert_eq!(
            (code.as_str(), message.as_str()),
            ("ResourceConflictException", "Function already exist: f")
        );
    }

    #[tokio::test]
    async fn settings_are_done_or_refused_by_name() {
        let world = World::new().await;
        let with = |name: &str, value: serde_json::Value| {
            let mut input = function("f");
            input[name] = value;
            input
        };
        for (name, value) in [
            ("PublishTo", json!("LATEST_PUBLISHED")),
            ("PackageType", json!("Image")),
            ("VpcConfig", json!({ "SubnetIds": ["subnet-1"] })),
            (
                "DeadLetterConfig",
                json!({ "TargetArn": "arn:aws:sqs:us-east-1:000000000000:q" }),
            ),
            (
                "KMSKeyArn",
                json!("arn:aws:kms:us-east-1:000000000000:key/a"),
            ),
            ("VpcConfig", json!({ "Ipv6AllowedForDualStack": true })),
            ("TracingConfig", json!({ "Mode": "Active" })),
            ("EphemeralStorage", json!({ "Size": 1024 })),
            ("SnapStart", json!({ "ApplyOn": "PublishedVersions" })),
            ("LoggingConfig", json!({ "LogFormat": "JSON" })),
            ("LoggingConfig", json!({ "LogGroup": "/other" })),
            (
                "Architectures",
                json!([if cfg!(target_arch = "aarch64") {
                    "x86_64"
                } else {
                    "arm64"
                }]),
            ),
            ("Runtime", json!("dotnet8")),
        ] {
            let (code, message) = world.refused::<CreateFunction>(with(name, value)).await;
            assert_eq!(code, "NotImplemented", "{name}: {message}");
        }
        for (name, value) in [
            ("MemorySize", json!(10_241)),
            ("Environment", json!({ "Variables": { "AWS_REGION": "x" } })),
            ("Runtime", json!("cobol")),
            ("Handler", json!(null)),
            ("Code", json!({})),
            ("Code", json!({ "ZipFile": "bm90IGEgemlw" })),
            ("Code", json!({ "S3Bucket": "none", "S3Key": "none" })),
            ("FunctionName", json!("a".repeat(65))),
            ("Runtime", json!("python3.7")),
        ] {
            let (code, message) = world.refused::<CreateFunction>(with(name, value)).await;
            assert_eq!(code, "InvalidParameterValueException", "{name}: {message}");
        }
        let late = world.refused::<CreateFunction>(with("Timeout", json!(901)));
        let rule = "Value '901' at 'timeout' failed to satisfy constraint: Member must have value less than or equal to 900";
        let text = format!("1 validation error detected: {rule}");
        assert_eq!(late.await, ("ValidationException".to_owned(), text));
        let mut defaults = function("f");
        for (name, value) in [
            (
                "VpcConfig",
                json!({ "SubnetIds": [], "SecurityGroupIds": [], "Ipv6AllowedForDualStack": false }),
            ),
            ("TracingConfig", json!({ "Mode": "PassThrough" })),
            ("EphemeralStorage", json!({ "Size": 512 })),
            ("PackageType", json!("Zip")),
            ("Publish", json!(false)),
            (
                "LoggingConfig",
                json!({ "LogFormat": "Text", "LogGroup": "/aws/lambda/f" }),
            ),
            ("Architectures", json!([crate::settings::architecture()])),
            ("Code", json!({ "S3Bucket": "code", "S3Key": "index.zip" })),
        ] {
            defaults[name] = value;
        }
        world.ok::<CreateFunction>(defaults).await;
    }

    #[tokio::test]
    async fn no_variables_are_told_apart_from_none_given() {
        let world = World::new().await;
        let mut input = function("f");
        input["Environment"] = json!({ "Variables": {} });
        let made = world.ok::<CreateFunction>(input).await;
        assert_eq!(made["Environment"], json!({ "Variables": {} }));
    }

    #[tokio::test]
    async fn a_package_has_the_bounds_of_where_it_comes_from() {
        let world = World::new().await;
        let from = |code: serde_json::Value| {
            let mut input = function("f");
            input["Code"] = code;
            input
        };
        let large = vec![0; 52_428_801];
        let given = from(json!({ "ZipFile": crate::testing::base64(&large) }));
        assert_eq!(
            world.refused::<CreateFunction>(given).await,
            (
                "RequestEntityTooLargeException".to_owned(),
                "Zipped size must be smaller than 52428800 bytes".to_owned()
            )
        );
        let named = from(json!({ "S3Bucket": "code", "S3Key": "60MB.zip" }));
        let made = world.ok::<CreateFunction>(named).await;
        assert!(made["CodeSize"].as_u64().unwrap() > 60_000_000);
        let named = from(json!({ "S3Bucket": "code", "S3Key": "huge.zip" }));
        assert_eq!(
            world.refused::<CreateFunction>(named).await,
            (
                "InvalidParameterValueException".to_owned(),
                "Unzipped size must be smaller than 262144000 bytes".to_owned()
            )
        );
    }
}
