//! Errors in AWS's words.

use headwater_shapes_cloudwatch::errors as shapes;
use headwater_wire::ApiError;

/// A value that the model allows and the service does not.
pub(crate) fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_PARAMETER_VALUE_EXCEPTION, text)
}

/// Values that do not go together.
pub(crate) fn combination(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_PARAMETER_COMBINATION_EXCEPTION, text)
}

/// A value that must be there and is not.
pub(crate) fn missing(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::MISSING_REQUIRED_PARAMETER_EXCEPTION, text)
}

/// A request that does not keep to what GetMetricData and alarms ask of it.
pub(crate) fn validation(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::VALIDATION_EXCEPTION, text)
}

/// The error of a collection with more members than it may have.
pub(crate) fn too_many(collection: &str, most: usize) -> ApiError {
    invalid(format!(
        "The collection {collection} must not have a size greater than {most}."
    ))
}

/// The error of a token that no answer gave.
pub(crate) fn bad_token() -> ApiError {
    invalid("Request parameter NextToken is invalid")
}

/// An error of the store of metrics as an answer.
pub(crate) fn of_metrics(error: headwater_metrics::Error) -> ApiError {
    use headwater_metrics::Error;
    let shape = match error {
        Error::TooManySeries { .. } => &shapes::LIMIT_EXCEEDED_FAULT,
        Error::Closed
        | Error::Damaged { .. }
        | Error::Io { .. }
        | Error::Catalog(_)
        | Error::Log(_) => &shapes::INTERNAL_SERVICE_FAULT,
    };
    ApiError::of(shape, error.to_string())
}

/// An error of the dashboards as an answer.
pub(crate) fn of_dashboards(error: headwater_dashboards::Error) -> ApiError {
    use headwater_dashboards::Error;
    let of = ApiError::of;
    match &error {
        Error::NoDashboard(name) => of(
            &shapes::DASHBOARD_NOT_FOUND_ERROR,
            format!("Dashboard {name} does not exist"),
        ),
        Error::TooManyTags => invalid(format!(
            "The maximum number of tags per resource is {}.",
            headwater_dashboards::limits::TAGS_MAX
        )),
        Error::Conflict(_) => of(
            &shapes::CONCURRENT_MODIFICATION_EXCEPTION,
            error.to_string(),
        ),
        Error::Catalog(_) => of(&shapes::INTERNAL_SERVICE_FAULT, error.to_string()),
    }
}
