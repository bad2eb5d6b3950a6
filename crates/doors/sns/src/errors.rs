//! The domain's errors in AWS's words.

use headwater_shapes::ErrorShape;
use headwater_shapes_sns::errors as shapes;
use headwater_topics::Error;
use headwater_wire::ApiError;

/// A parameter that the model allows and the service does not.
pub(crate) fn invalid(what: impl AsRef<str>) -> ApiError {
    let text = format!("Invalid parameter: {}", what.as_ref());
    ApiError::of(&shapes::INVALID_PARAMETER_EXCEPTION, text)
}

/// An attribute of a message that cannot be one.
pub(crate) fn invalid_attribute(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_PARAMETER_VALUE_EXCEPTION, text)
}

/// A call that its caller may not make.
pub(crate) fn not_authorized(text: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::AUTHORIZATION_ERROR_EXCEPTION, text)
}

/// A resource whose tags are asked for and which is not there.
pub(crate) fn no_resource() -> ApiError {
    ApiError::of(
        &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
        "Resource does not exist",
    )
}

/// The error of a parameter whose `fault` is in an attribute.
pub(crate) fn of_fault(fault: Error) -> ApiError {
    match fault {
        Error::Refused(text) => invalid(text),
        other => api(other),
    }
}

/// A domain error as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    let of = |shape: &ErrorShape, message: &str| ApiError::of(shape, message);
    match error {
        Error::NoTopic(_) => of(&shapes::NOT_FOUND_EXCEPTION, "Topic does not exist"),
        Error::NoSubscription(_) => of(&shapes::NOT_FOUND_EXCEPTION, "Subscription does not exist"),
        Error::OtherAttributes => {
            invalid("Attributes Reason: Topic already exists with different attributes")
        }
        Error::OtherTags => invalid("Tags Reason: Topic already exists with different tags"),
        Error::OtherSubscription => {
            invalid("Attributes Reason: Subscription already exists with different attributes")
        }
        Error::TooManyTopics => of(
            &shapes::TOPIC_LIMIT_EXCEEDED_EXCEPTION,
            "Topic limit has been reached, please contact support",
        ),
        Error::TooManySubscriptions => of(
            &shapes::SUBSCRIPTION_LIMIT_EXCEEDED_EXCEPTION,
            "Subscription limit has been reached, please contact support",
        ),
        Error::TooManyTags => of(
            &shapes::TAG_LIMIT_EXCEEDED_EXCEPTION,
            "Could not complete request: tag quota of per resource exceeded",
        ),
        Error::NoToken => invalid("Token"),
        Error::NotAuthenticated => not_authorized("Unsubscribe needs authentication"),
        Error::Filter(fault) => invalid(fault.to_string()),
        Error::Refused(text) => invalid(text),
        Error::Conflict => of(
            &shapes::CONCURRENT_ACCESS_EXCEPTION,
            "Too many concurrent changes of the same topic. Please try again.",
        ),
        Error::Catalog(_) | Error::Log(_) | Error::Signing(_) => {
            ApiError::of(&shapes::INTERNAL_ERROR_EXCEPTION, error.to_string())
        }
    }
}
