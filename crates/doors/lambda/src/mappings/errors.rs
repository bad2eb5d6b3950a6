//! The mappings' errors in AWS's words, as recorded on AWS.

use headwater_mappings::Error;
use headwater_shapes_lambda::errors as shapes;
use headwater_types::Arn;
use headwater_wire::ApiError;

use super::source::{Kind, kind_of};
use crate::errors::{invalid_parameter, not_found};

/// No such mapping.
pub(crate) fn no_mapping() -> ApiError {
    not_found("The resource you requested does not exist.")
}

/// A domain error about a mapping of `source` to `function` as an answer.
pub(crate) fn pair(error: Error, source: &Arn, function: &Arn) -> ApiError {
    let Error::Exists(id) = error else {
        return api(error);
    };
    let name = function.name_of("function").unwrap_or_default();
    let taken = match kind_of(source) {
        Kind::Stream | Kind::Changes => format!(
            "The event source arn (\" {source} \") and function (\" {name} \") provided mapping already exists."
        ),
        Kind::Queue | Kind::FifoQueue => format!(
            "An event source mapping with SQS arn (\" {source} \") and function (\" {name} \") already exists."
        ),
    };
    ApiError::of(
        &shapes::RESOURCE_CONFLICT_EXCEPTION,
        format!("{taken} Please update or delete the existing mapping with UUID {id}"),
    )
}

/// No such queue.
pub(crate) fn no_queue() -> ApiError {
    invalid_parameter(
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
    )
}

/// A domain error as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    match error {
        Error::NotFound(_) => no_mapping(),
        Error::Exists(id) => ApiError::of(
            &shapes::RESOURCE_CONFLICT_EXCEPTION,
            format!("The event source mapping {id} is for the same source and function already."),
        ),
        Error::NoSource(arn) => invalid_parameter(format!("Stream not found: {arn}")),
        Error::NoQueue(_) => no_queue(),
        Error::Filter(_) => invalid_parameter("Invalid filter pattern definition."),
        Error::TooManyTags => invalid_parameter("Number of tags exceeds resource tag limit."),
        Error::FutureStart => {
            invalid_parameter("StartingPositionTimestamp cannot be in the future.")
        }
        Error::Refused(text) => invalid_parameter(text),
        Error::TooMany => invalid_parameter("Too many event source mappings."),
        Error::Conflict => ApiError::of(
            &shapes::RESOURCE_CONFLICT_EXCEPTION,
            "The operation on this resource is in conflict with another one. Please try again.",
        ),
        Error::Source(_) | Error::Catalog(_) => {
            ApiError::of(&shapes::SERVICE_EXCEPTION, error.to_string())
        }
    }
}
