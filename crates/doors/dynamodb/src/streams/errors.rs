//! The errors of streams in AWS's words, as reports of users have them, or else the model's. Those that neither has are
//! ours, in their manner.

use headwater_shapes_dynamodbstreams::errors as shapes;
use headwater_tables::Error;
use headwater_wire::ApiError;

use crate::errors::validation;

/// A text that is not the ARN of a stream.
pub(crate) fn invalid_arn() -> ApiError {
    validation("Invalid StreamArn")
}

/// A text that is not the position of a reader.
pub(crate) fn invalid_iterator() -> ApiError {
    validation("Invalid ShardIterator")
}

/// A stream that is not there.
pub(crate) fn no_stream(arn: &str) -> ApiError {
    let text = format!("Requested resource not found: Stream: {arn} not found");
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, text)
}

/// A shard that is not there.
pub(crate) fn no_shard() -> ApiError {
    let text = "Requested resource not found: Shard does not exist";
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, text)
}

/// A position whose changes have expired.
pub(crate) fn trimmed() -> ApiError {
    let text = "The data you are trying to access has been trimmed";
    ApiError::of(&shapes::TRIMMED_DATA_ACCESS_EXCEPTION, text)
}

/// An iterator that is too old.
pub(crate) fn expired() -> ApiError {
    let text = "The provided iterator exceeds the maximum age allowed.";
    ApiError::of(&shapes::EXPIRED_ITERATOR_EXCEPTION, text)
}

/// A domain error about the stream with this ARN as an answer.
pub(crate) fn api(error: Error, arn: &str) -> ApiError {
    match error {
        Error::NoTable(_) | Error::NoStream(_) => no_stream(arn),
        Error::NoShard(_) => no_shard(),
        error => ApiError::of(&shapes::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}
