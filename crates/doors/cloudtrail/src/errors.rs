//! The domain's errors in AWS's words.

use headwater_shapes::ErrorShape;
use headwater_shapes_cloudtrail::errors as shapes;
use headwater_trail::Error;
use headwater_wire::ApiError;

/// Refuses what is set and not built.
pub(crate) fn refuse(set: bool, what: &str) -> Result<(), ApiError> {
    match set {
        true => Err(ApiError::not_supported(what)),
        false => Ok(()),
    }
}

/// A domain error as an answer.
pub(crate) fn api(error: Error) -> ApiError {
    let of = |shape: &ErrorShape, message: String| ApiError::of(shape, message);
    match error {
        Error::NoTrail(name) => no_trail(&name),
        Error::TrailExists(name) => of(
            &shapes::TRAIL_ALREADY_EXISTS_EXCEPTION,
            format!("Trail {name} already exists for customer"),
        ),
        Error::TooManyTrails(most) => of(
            &shapes::MAXIMUM_NUMBER_OF_TRAILS_EXCEEDED_EXCEPTION,
            format!("User already has {most} trails in this region"),
        ),
        Error::TooManyTags(most) => of(
            &shapes::TAGS_LIMIT_EXCEEDED_EXCEPTION,
            format!(
                "The number of tags per trail has exceeded the permitted amount. The limit is {most}."
            ),
        ),
        Error::NoBucket(bucket) => of(
            &shapes::S3_BUCKET_DOES_NOT_EXIST_EXCEPTION,
            format!("S3 bucket {bucket} does not exist!"),
        ),
        Error::TooOften(_) | Error::Throttled => {
            ApiError::new(400, "ThrottlingException", "Rate exceeded")
        }
        Error::Objects(_) | Error::Catalog(_) | Error::Log(_) => {
            ApiError::internal(error.to_string())
        }
    }
}

/// There is no trail of that name.
pub(crate) fn no_trail(name: &str) -> ApiError {
    ApiError::of(
        &shapes::TRAIL_NOT_FOUND_EXCEPTION,
        format!("Unknown trail: {name}"),
    )
}
