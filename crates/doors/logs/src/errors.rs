//! The domain's errors in AWS's words. Texts as recorded on AWS by the tests of localstack, where those have them.

use headwater_loggroups::Error;
use headwater_shapes::ErrorShape;
use headwater_shapes_logs::errors as shapes;
use headwater_wire::ApiError;

/// A parameter that the model allows and the service does not.
pub(crate) fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_PARAMETER_EXCEPTION, message)
}

/// A token that is not one of ours.
pub(crate) fn bad_token() -> ApiError {
    invalid_parameter("The specified nextToken is invalid.")
}

/// Refuses what is set and not built.
pub(crate) fn refuse(set: bool, what: &str) -> Result<(), ApiError> {
    if set {
        Err(ApiError::not_supported(what))
    } else {
        Ok(())
    }
}

/// A domain error as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    let of = |shape: &ErrorShape, message: &str| ApiError::of(shape, message);
    match error {
        Error::NoGroup(_) => of(
            &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
            "The specified log group does not exist.",
        ),
        Error::NoStream(_) => of(
            &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
            "The specified log stream does not exist.",
        ),
        Error::GroupExists(_) => of(
            &shapes::RESOURCE_ALREADY_EXISTS_EXCEPTION,
            "The specified log group already exists",
        ),
        Error::StreamExists(_) => of(
            &shapes::RESOURCE_ALREADY_EXISTS_EXCEPTION,
            "The specified log stream already exists",
        ),
        Error::NoSubscription(_) => of(
            &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
            "The specified subscription filter does not exist.",
        ),
        Error::NoMetricFilter(_) => of(
            &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
            "The specified metric filter does not exist.",
        ),
        Error::TooMany(_) => of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            "Resource limit exceeded.",
        ),
        Error::TooManyTags(_) => of(&shapes::TOO_MANY_TAGS_EXCEPTION, &error.to_string()),
        Error::Missing(what) => ApiError::not_supported(what),
        Error::Conflict(_) => of(
            &shapes::OPERATION_ABORTED_EXCEPTION,
            "Multiple concurrent requests to update the same resource were in conflict.",
        ),
        Error::OutOfOrder => invalid_parameter(
            "Log events in a single PutLogEvents request must be in chronological order.",
        ),
        Error::SpanTooLong => invalid_parameter(
            "The batch of log events in a single PutLogEvents request cannot span more than 24 hours.",
        ),
        Error::PutTooLarge { size, max } => invalid_parameter(format!(
            "Upload too large: {size} bytes exceeds limit of {max}"
        )),
        Error::Token => bad_token(),
        Error::Pattern(why) | Error::Transformation(why) | Error::Destination(why) => {
            invalid_parameter(why)
        }
        Error::Catalog(_) | Error::Log(_) => {
            ApiError::of(&shapes::SERVICE_UNAVAILABLE_EXCEPTION, error.to_string())
        }
    }
}
