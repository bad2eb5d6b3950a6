//! The domain's errors in AWS's words. Texts as recorded on AWS by the tests of localstack, where those have them.

use std::fmt::Display;

use headwater_functions::{AliasName, ClaimFault, Error, PackageError, RoutingFault, limits};
use headwater_shapes_lambda::errors as shapes;
use headwater_wire::ApiError;

use crate::event_settings;

/// A parameter that the model allows and the service does not.
pub(crate) fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_PARAMETER_VALUE_EXCEPTION, message)
}

/// A claim that the account has no room for; as recorded on AWS, these errors alone do not say whose fault they are.
fn claim_refused(message: impl Into<String>) -> ApiError {
    invalid_parameter(message).with("Type", serde_json::Value::Null)
}

/// No such function; this error alone spells its member `Message`.
pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
    let message = message.into();
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, message.clone()).with("Message", message)
}

/// No alias at `arn`, where operations that are about aliases say so.
pub(crate) fn no_alias(arn: impl Display) -> ApiError {
    not_found(format!("Cannot find alias arn: {arn}"))
}

/// No function, or no version of it, at `arn`.
pub(crate) fn no_function(arn: impl Display) -> ApiError {
    not_found(format!("Function not found: {arn}"))
}

/// A payload over AWS's bound for `operation`.
fn request_too_large(max: usize) -> ApiError {
    let message =
        format!("Request must be smaller than {max} bytes for the InvokeFunction operation");
    ApiError::of(&shapes::REQUEST_TOO_LARGE_EXCEPTION, message)
}

/// A member whose value is not what the service takes, where its model says no more than the API's reference.
pub(crate) fn validation(value: impl Display, member: &str, rule: &str) -> ApiError {
    ApiError::new(
        400,
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"
        ),
    )
}

/// A package that unpacks to more than functions may have.
pub(crate) fn unzipped_too_large(max: u64) -> ApiError {
    invalid_parameter(format!("Unzipped size must be smaller than {max} bytes"))
}

/// A domain error about the function at `arn` as an answer.
pub(crate) fn api(error: Error, arn: impl Display) -> ApiError {
    match error {
        Error::NotFound(_) | Error::NoVersion(_) | Error::NoAlias(_) => no_function(arn),
        Error::NoLayer(id) => invalid_parameter(format!("Layer version {id} does not exist.")),
        Error::TooLargeTogether { size } => too_large_together(size),
        Error::AliasExists(_) => conflict(format!("Alias already exists: {arn}")),
        Error::Referenced(aliases) => referenced(&aliases),
        Error::Routing(fault) => routing(fault),
        Error::OtherCode { given, current } => invalid_parameter(format!(
            "CodeSHA256 ({given}) is different from current CodeSHA256 in $LATEST ({current}). Please try again with \
             the CodeSHA256 in $LATEST."
        )),
        Error::Exists(name) => conflict(format!("Function already exist: {name}")),
        Error::Invalid {
            what: "environment",
            why,
        } => invalid_parameter(why),
        Error::Invalid { what: "tags", .. } => {
            invalid_parameter("Number of tags exceeds resource tag limit.")
        }
        Error::Invalid { what, why } => invalid_parameter(format!("Invalid {what}: {why}")),
        Error::Package(error) => package(&error),
        Error::StorageFull => ApiError::of(
            &shapes::CODE_STORAGE_EXCEEDED_EXCEPTION,
            "Code storage limit exceeded.",
        ),
        Error::Revision => other_revision("GetFunction/GetAlias"),
        Error::StatementExists(id) => conflict(format!(
            "The statement id ({id}) provided already exists. Please provide a new statement id, or remove the existing \
             statement."
        )),
        Error::NoStatement(id) => {
            not_found(format!("Statement {id} is not found in resource policy."))
        }
        Error::NoPolicy => not_found("No policy is associated with the given resource."),
        Error::PolicyRevision => other_revision("GetPolicy"),
        Error::PolicyTooLarge { size } => policy_too_large(size),
        Error::Claim(fault) => claim(fault),
        Error::NoEventSettings => event_settings::none(&arn.to_string()),
        Error::Destination(fault) => event_settings::destination(fault),
        Error::Reserved => throttled(
            "Rate Exceeded.",
            "ReservedFunctionConcurrentInvocationLimitExceeded",
        ),
        Error::Throttled => throttled("Rate Exceeded.", "ConcurrentInvocationLimitExceeded"),
        Error::QueueFull => throttled(
            "Too many events wait to be invoked.",
            "CallerRateLimitExceeded",
        ),
        Error::PayloadTooLarge { max, .. } => request_too_large(max),
        Error::Runtime { .. } | Error::Entrypoint(_) => {
            ApiError::of(&shapes::INVALID_RUNTIME_EXCEPTION, error.to_string())
        }
        Error::Closed => ApiError::new(503, "ServiceUnavailable", error.to_string()),
        Error::Catalog(_)
        | Error::Disk { .. }
        | Error::PermissionExists(_)
        | Error::NoPermission(_)
        | Error::UrlExists
        | Error::NoUrl => other(error),
    }
}

/// A domain error that is about no function in particular.
pub(crate) fn other(error: Error) -> ApiError {
    ApiError::of(&shapes::SERVICE_EXCEPTION, error.to_string())
}

/// Something that is there already, or in use.
fn conflict(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::RESOURCE_CONFLICT_EXCEPTION, message)
}

/// A version that aliases lead to cannot be deleted.
fn referenced(aliases: &[AliasName]) -> ApiError {
    let aliases: Vec<_> = aliases.iter().map(ToString::to_string).collect();
    conflict(format!(
        "Version was not able to be deleted because the following aliases reference it: [{}]",
        aliases.join(", ")
    ))
}

/// Something is at another revision than the caller says; `operation` tells at which.
fn other_revision(operation: &str) -> ApiError {
    let message = format!(
        "The Revision Id provided does not match the latest Revision Id. Call the {operation} API to retrieve the latest \
         Revision Id"
    );
    ApiError::of(&shapes::PRECONDITION_FAILED_EXCEPTION, message)
}

fn too_large_together(size: u64) -> ApiError {
    let max = limits::UNPACKED_BYTES_MAX;
    invalid_parameter(format!(
        "Function code combined with layers exceeds the maximum allowed size of {max} bytes. The actual size is {size} \
         bytes."
    ))
}

fn policy_too_large(size: usize) -> ApiError {
    let max = limits::POLICY_BYTES_MAX;
    let message = format!("The final policy size ({size}) is bigger than the limit ({max}).");
    ApiError::of(&shapes::POLICY_LENGTH_EXCEEDED_EXCEPTION, message)
}

fn claim(fault: ClaimFault) -> ApiError {
    let minimum = limits::UNRESERVED_MIN;
    match fault {
        ClaimFault::ReservedMinimum => claim_refused(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
             below its minimum value of [{minimum}]."
        )),
        ClaimFault::Unreserved { left } => claim_refused(format!(
            "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [{left}]."
        )),
        ClaimFault::ProvisionedMinimum => claim_refused(format!(
            "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its \
             minimum value of [{minimum}]."
        )),
        // Two spaces and the one in front, as AWS has them.
        ClaimFault::UnderProvisioned {
            reserved,
            provisioned,
        } => claim_refused(format!(
            " ReservedConcurrentExecutions  {reserved} should not be lower than function's total provisioned \
             concurrency [{provisioned}]."
        )),
        ClaimFault::OverReserved => invalid_parameter(
            "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function",
        ),
        ClaimFault::Unpublished => invalid_parameter(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        ),
        ClaimFault::Weights => {
            invalid_parameter("Alias with weights can not be used with Provisioned Concurrency")
        }
        ClaimFault::VersionKept => conflict(
            "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
        ),
        ClaimFault::AliasKept => conflict("Version is pointed by a Provisioned Concurrency alias"),
    }
}

fn routing(fault: RoutingFault) -> ApiError {
    invalid_parameter(match fault {
        RoutingFault::TooMany => {
            "Number of items in AdditionalVersionWeights cannot be greater than 1".to_owned()
        }
        RoutingFault::Twice(version) => format!(
            "Invalid function version {version}. Function version {version} is already included in routing \
             configuration."
        ),
        RoutingFault::Latest => {
            "$LATEST is not supported for an alias pointing to more than 1 version".to_owned()
        }
    })
}

fn throttled(message: &str, reason: &str) -> ApiError {
    ApiError::of(&shapes::TOO_MANY_REQUESTS_EXCEPTION, message).with("Reason", reason)
}

fn package(error: &PackageError) -> ApiError {
    match error {
        PackageError::NotZip(_) => invalid_parameter(
            "Could not unzip uploaded file. Please check your file, then try to upload again.",
        ),
        PackageError::UnpacksTooLarge { max } => unzipped_too_large(*max),
        PackageError::TooManyFiles { .. }
        | PackageError::LongName
        | PackageError::Clash(_)
        | PackageError::LeadsOut(_) => invalid_parameter(error.to_string()),
        PackageError::Damaged(_) => ApiError::of(&shapes::SERVICE_EXCEPTION, error.to_string()),
    }
}
