//! Concurrency that functions have to themselves, as requests name it and answers show it.

use headwater_functions::{
    Error, FunctionName, KeepFailure, Kept, Options, Provisioned, Qualifier, Version,
};
use headwater_shapes_lambda::{
    GetProvisionedConcurrencyConfigResponse, PutProvisionedConcurrencyConfigResponse,
    errors as shapes,
};
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::{
    describe::date,
    errors::{self, invalid_parameter, no_function},
    target::Target,
};

/// The whole function that something is to be reserved for.
pub(crate) fn function(text: &str, options: &Options) -> Result<Target, ApiError> {
    let target = Target::parse(text, None, options)?;
    match &target.qualifier {
        None => Ok(target),
        Some(_) => Err(invalid_parameter(
            "This operation is permitted on Lambda functions only. Aliases and versions do not support this \
             operation. Please specify either a function name or an unqualified function ARN.",
        )),
    }
}

/// A version or alias that processes are, or are to be, kept for.
pub(crate) struct Part {
    pub name: FunctionName,
    pub qualifier: Qualifier,
    /// Its ARN.
    pub arn: String,
}

impl Part {
    /// The version or alias of a request; `latest` is the text for one that means the latest version.
    pub fn parse(
        name: &str,
        qualifier: &str,
        latest: &str,
        options: &Options,
    ) -> Result<Self, ApiError> {
        let target = Target::parse(name, Some(qualifier), options)?;
        let arn = target.qualified_arn();
        match target.version()? {
            None | Some(Qualifier::Version(Version::Latest)) => Err(invalid_parameter(latest)),
            Some(qualifier) => Ok(Self {
                name: target.name,
                qualifier,
                arn,
            }),
        }
    }

    /// A domain error about it in AWS's words: without a function there is no alias of it either.
    pub fn api(&self, error: Error) -> ApiError {
        let is_missing = matches!(
            error,
            Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_)
        );
        match &self.qualifier {
            Qualifier::Alias(_) if is_missing => errors::no_alias(&self.arn),
            Qualifier::Version(_) if is_missing => no_function(&self.arn),
            _ => errors::api(error, &self.arn),
        }
    }
}

/// AWS's text for reading and deleting what is kept for the latest version.
pub(crate) const NOT_LATEST: &str =
    "The function resource provided must be an alias or a published version.";

/// The error for a version or alias that nothing is kept for.
pub(crate) fn none_kept() -> ApiError {
    ApiError::of(
        &shapes::PROVISIONED_CONCURRENCY_CONFIG_NOT_FOUND_EXCEPTION,
        "No Provisioned Concurrency Config found for this function",
    )
}

/// A count as answers have it.
pub(crate) fn shown(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What was just asked for: nothing of it is there yet.
pub(crate) fn begun(asked: Provisioned) -> PutProvisionedConcurrencyConfigResponse {
    PutProvisionedConcurrencyConfigResponse {
        requested_provisioned_concurrent_executions: Some(shown(asked.requested)),
        available_provisioned_concurrent_executions: Some(0),
        allocated_provisioned_concurrent_executions: Some(0),
        status: Some("IN_PROGRESS".to_owned()),
        status_reason: None,
        last_modified: Some(date(asked.modified)),
    }
}

/// The status of what is kept, and the reason for it, if it failed.
pub(crate) fn status(kept: &Kept) -> (String, Option<String>) {
    let (status, reason) = match kept.failed {
        _ if kept.ready >= kept.asked.requested => ("READY", None),
        Some(KeepFailure::Start) => ("FAILED", Some("FUNCTION_ERROR_INIT_FAILURE".to_owned())),
        Some(KeepFailure::Room { most }) => (
            "FAILED",
            Some(format!(
                "This server keeps at most {most} processes: see its option --function-concurrency."
            )),
        ),
        None => ("IN_PROGRESS", None),
    };
    (status.to_owned(), reason)
}

/// What is kept, at its stage.
pub(crate) fn config(kept: &Kept) -> GetProvisionedConcurrencyConfigResponse {
    let (status, status_reason) = status(kept);
    GetProvisionedConcurrencyConfigResponse {
        requested_provisioned_concurrent_executions: Some(shown(kept.asked.requested)),
        available_provisioned_concurrent_executions: Some(shown(kept.ready)),
        allocated_provisioned_concurrent_executions: Some(shown(kept.ready)),
        status: Some(status),
        status_reason,
        last_modified: Some(date(kept.asked.modified)),
    }
}

/// The ARN of a version or alias.
pub(crate) fn arn(function: &Arn, qualifier: &str) -> String {
    format!("{function}:{qualifier}")
}

#[cfg(test)]
mod tests {
    use headwater_shapes_lambda::ops::{
        CreateFunction, DeleteFunctionConcurrency, DeleteProvisionedConcurrencyConfig,
        GetFunctionConcurrency, GetProvisionedConcurrencyConfig, ListProvisionedConcurrencyConfigs,
        PublishVersion, PutFunctionConcurrency, PutProvisionedConcurrencyConfig,
    };
    use serde_json::json;

    use crate::testing::{World, function};

    #[tokio::test]
    async fn concurrency_is_reserved_until_it_is_given_back() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        let named = || json!({ "FunctionName": "f" });
        let put = json!({ "FunctionName": "f", "ReservedConcurrentExecutions": 5 });
        let five = json!({ "ReservedConcurrentExecutions": 5 });
        assert_eq!(world.ok::<PutFunctionConcurrency>(put).await, five);
        assert_eq!(world.ok::<GetFunctionConcurrency>(named()).await, five);
        world.ok::<DeleteFunctionConcurrency>(named()).await;
        assert_eq!(world.ok::<GetFunctionConcurrency>(named()).await, json!({}));
        let qualified = json!({ "FunctionName": "f:1", "ReservedConcurrentExecutions": 5 });
        let refused = world.refused::<PutFunctionConcurrency>(qualified).await;
        assert!(
            refused
                .1
                .starts_with("This operation is permitted on Lambda functions only.")
        );
    }

    #[tokio::test]
    async fn processes_are_kept_for_versions() {
        let world = World::new().await;
        world.ok::<CreateFunction>(function("f")).await;
        world
            .ok::<PublishVersion>(json!({ "FunctionName": "f" }))
            .await;
        let named = |qualifier: &str| json!({ "FunctionName": "f", "Qualifier": qualifier });
        let put =
            json!({ "FunctionName": "f", "Qualifier": "1", "ProvisionedConcurrentExecutions": 2 });
        let begun = world.ok::<PutProvisionedConcurrencyConfig>(put).await;
        assert_eq!(begun["Status"], "IN_PROGRESS");
        let listed = json!({ "FunctionName": "f" });
        let listed = world.ok::<ListProvisionedConcurrencyConfigs>(listed).await;
        let one = &listed["ProvisionedConcurrencyConfigs"][0];
        assert_eq!(one["RequestedProvisionedConcurrentExecutions"], 2);
        assert_eq!(
            one["FunctionArn"],
            "arn:aws:lambda:us-east-1:000000000000:function:f:1"
        );
        world
            .ok::<DeleteProvisionedConcurrencyConfig>(named("1"))
            .await;
        let gone = world
            .refused::<GetProvisionedConcurrencyConfig>(named("1"))
            .await;
        assert_eq!(gone.0, "ProvisionedConcurrencyConfigNotFoundException");
    }
}
