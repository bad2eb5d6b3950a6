//! The domain's errors in AWS's words. Texts as recorded on AWS by the tests of localstack, where those have them.

use headwater_messages::{Error, Fault, ReceiptError};
use headwater_shapes::ErrorShape;
use headwater_shapes_sqs::errors as shapes;
use headwater_wire::{ApiError, Context};

/// Errors that AWS answers with and its model does not name.
const fn unnamed(name: &'static str, query_code: &'static str, status: u16) -> ErrorShape {
    ErrorShape {
        name,
        query_code: Some(query_code),
        status,
    }
}

static INVALID_PARAMETER: ErrorShape = unnamed(
    "InvalidParameterValueException",
    "InvalidParameterValue",
    400,
);
static MISSING_PARAMETER: ErrorShape =
    unnamed("MissingRequiredParameterException", "MissingParameter", 400);
static ACCESS_DENIED: ErrorShape = unnamed("AccessDeniedException", "AccessDenied", 403);
static SERVICE_UNAVAILABLE: ErrorShape =
    unnamed("ServiceUnavailableException", "ServiceUnavailable", 503);

/// A parameter that the model allows and the service does not.
pub(crate) fn invalid_parameter(message: impl Into<String>) -> ApiError {
    ApiError::of(&INVALID_PARAMETER, message)
}

/// The value of a parameter, and why it cannot be.
pub(crate) fn invalid_value(parameter: &str, value: impl std::fmt::Display, why: &str) -> ApiError {
    invalid_parameter(format!(
        "Value {value} for parameter {parameter} is invalid. Reason: {why}"
    ))
}

/// A parameter that is not there.
pub(crate) fn missing(parameter: &str) -> ApiError {
    let text = format!("The request must contain the parameter {parameter}.");
    ApiError::of(&MISSING_PARAMETER, text)
}

/// An attribute that a queue cannot have.
pub(crate) fn unknown_attribute(name: &str) -> ApiError {
    invalid_name(format!("Unknown Attribute {name}."))
}

/// An attribute that cannot be set so.
pub(crate) fn invalid_name(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_ATTRIBUTE_NAME, message)
}

/// An attribute that has a value that it cannot have.
pub(crate) fn invalid_attribute(name: &str) -> ApiError {
    let text = format!("Invalid value for the parameter {name}.");
    ApiError::of(&shapes::INVALID_ATTRIBUTE_VALUE, text)
}

/// A caller who may not.
pub(crate) fn denied(message: impl Into<String>) -> ApiError {
    ApiError::of(&ACCESS_DENIED, message)
}

/// An address that is none of a queue.
pub(crate) fn invalid_address(address: &str) -> ApiError {
    let text = format!("The address {address} is not valid for this endpoint.");
    ApiError::of(&shapes::INVALID_ADDRESS, text)
}

/// A queue that does not exist.
pub(crate) fn no_queue(context: &Context) -> ApiError {
    let text = match context.is_form() {
        true => "The specified queue does not exist for this wsdl version.",
        false => "The specified queue does not exist.",
    };
    ApiError::of(&shapes::QUEUE_DOES_NOT_EXIST, text)
}

/// A receipt handle that is none.
pub(crate) fn invalid_handle(handle: &str) -> ApiError {
    let text = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
    ApiError::of(&shapes::RECEIPT_HANDLE_IS_INVALID, text)
}

/// A receipt handle that does not do.
pub(crate) fn receipt(error: ReceiptError, handle: &str, visibility: i32) -> ApiError {
    match error {
        ReceiptError::Foreign => invalid_handle(handle),
        ReceiptError::Gone => invalid_value(
            "ReceiptHandle",
            handle,
            "Message does not exist or is not available for visibility timeout change.",
        ),
        ReceiptError::Expired => {
            invalid_value("ReceiptHandle", handle, "The receipt handle has expired.")
        }
        ReceiptError::TooLong => invalid_value(
            "VisibilityTimeout",
            visibility,
            "Total VisibilityTimeout for the message is beyond the limit [43200 seconds].",
        ),
    }
}

/// A domain error as an answer.
pub(crate) fn api(error: Error, queue: &str, context: &Context) -> ApiError {
    match error {
        Error::NoQueue(_) => no_queue(context),
        Error::Differs(attribute) => ApiError::of(
            &shapes::QUEUE_NAME_EXISTS,
            format!(
                "A queue already exists with the same name and a different value for attribute {attribute}"
            ),
        ),
        Error::TooManyTags => invalid_parameter(format!("Too many tags added for queue {queue}.")),
        Error::Fault(error) => fault(error),
        Error::TooManyInFlight => ApiError::of(
            &shapes::OVER_LIMIT,
            "Too many messages in flight: delete some of them, or let them return to the queue.",
        ),
        Error::TooManyIds | Error::TooManyWaiting | Error::Conflict => {
            ApiError::of(&shapes::REQUEST_THROTTLED, error.to_string())
        }
        Error::PurgedLately => ApiError::of(
            &shapes::PURGE_QUEUE_IN_PROGRESS,
            format!("Only one PurgeQueue operation on {queue} is allowed every 60 seconds."),
        ),
        Error::Damaged { .. } | Error::Interrupted => ApiError::internal(error),
        Error::Catalog(_) | Error::Log(_) => ApiError::of(&SERVICE_UNAVAILABLE, error.to_string()),
    }
}

/// Whether a name of a group, of a message or of an attempt can be one.
pub(crate) fn check_name(parameter: &str, name: &str) -> Result<(), ApiError> {
    match headwater_messages::is_name(name) {
        true => Ok(()),
        false => Err(no_name(parameter, name)),
    }
}

fn no_name(parameter: &str, name: impl std::fmt::Display) -> ApiError {
    const FIFO_NAME: &str =
        "can only include alphanumeric and punctuation characters. 1 to 128 in length.";
    invalid_value(parameter, name, &format!("{parameter} {FIFO_NAME}"))
}

/// A message that cannot be sent.
pub(crate) fn fault(fault: Fault) -> ApiError {
    const NOT_OF_TYPE: &str =
        "The request include parameter that is not valid for this queue type.";
    let named = |name: &str, value: String| no_name(name, value);
    match fault {
        Fault::Empty => missing("MessageBody"),
        Fault::TooLong(max) => invalid_parameter(format!(
            "One or more parameters are invalid. Reason: Message must be shorter than {max} bytes."
        )),
        Fault::Characters => ApiError::of(&shapes::INVALID_MESSAGE_CONTENTS, CHARACTERS),
        Fault::Attributes(count) => invalid_parameter(format!(
            "Number of message attributes [{count}] exceeds the allowed maximum [10]."
        )),
        Fault::AttributeName(_) => invalid_parameter(
            "Message (user) attributes name can only contain upper and lower score characters, digits, periods, \
             hyphens and underscores. ",
        ),
        Fault::AttributeNameTooLong => {
            invalid_parameter("Message (user) attribute names must be shorter than 256 Bytes")
        }
        Fault::AttributeReserved(_) => invalid_parameter(
            "You can't use message attribute names beginning with 'AWS.' or 'Amazon.'. These strings are reserved \
             for internal use. Additionally, they cannot start or end with '.'.",
        ),
        Fault::AttributeType(name, _) => invalid_parameter(format!(
            "The type of message (user) attribute '{name}' is invalid. You must use only the following supported \
             type prefixes: Binary, Number, String."
        )),
        Fault::AttributeTypeTooLong => {
            invalid_parameter("Message (user) attribute types must be shorter than 256 Bytes")
        }
        Fault::AttributeEmpty(name, kind) => invalid_parameter(format!(
            "Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'."
        )),
        Fault::AttributeNumber(name) => invalid_parameter(format!(
            "Can't cast the value of message (user) attribute '{name}' to a number."
        )),
        Fault::AttributeCharacters(name) => invalid_parameter(format!(
            "Invalid binary character was found in the message (user) attribute '{name}': {CHARACTERS}"
        )),
        Fault::NoGroup => missing("MessageGroupId"),
        Fault::Group(group) => named("MessageGroupId", group),
        Fault::NoDedup => invalid_parameter(
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided \
             explicitly",
        ),
        Fault::Dedup(dedup) => named("MessageDeduplicationId", dedup),
        Fault::DedupNotTaken(dedup) => invalid_value(
            "MessageDeduplicationId",
            dedup,
            "The request includes a parameter that is not valid for this queue type.",
        ),
        Fault::DelayNotTaken(delay) => invalid_value("DelaySeconds", delay.as_secs(), NOT_OF_TYPE),
        Fault::Delay(delay) => invalid_value(
            "DelaySeconds",
            delay.as_secs(),
            "DelaySeconds must be >= 0 and <= 900.",
        ),
    }
}

const CHARACTERS: &str = "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | \
                          #xE000 to #xFFFD | #x10000 to #x10FFFF";
