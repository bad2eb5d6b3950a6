//! The domain's errors in AWS's words. Texts as recorded on AWS by other projects, where those have them.

use headwater_delivery::{
    DeliveryError, PatternError, PrefixError, PrefixKind, SourceError, limits::PREFIX_BYTES_MAX,
};
use headwater_shapes_firehose::errors as shapes;
use headwater_types::Arn;
use headwater_wire::{ApiError, Context};

/// An argument that the model allows and the service does not.
pub(crate) fn invalid_argument(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_ARGUMENT_EXCEPTION, message)
}

/// Refuses the first setting that is there.
pub(crate) fn refuse(settings: &[(bool, &str)]) -> Result<(), ApiError> {
    match settings.iter().find(|(there, _)| *there) {
        Some((_, name)) => Err(ApiError::not_supported(name)),
        None => Ok(()),
    }
}

/// There is no room for a record, or for any.
pub(crate) fn slow_down() -> ApiError {
    ApiError::of(&shapes::SERVICE_UNAVAILABLE_EXCEPTION, "Slow down.")
}

/// A domain error as an answer to a call.
pub(crate) fn api(error: DeliveryError, context: &Context) -> ApiError {
    let account = &context.account.0;
    match error {
        DeliveryError::NotFound(name) => ApiError::of(
            &shapes::RESOURCE_NOT_FOUND_EXCEPTION,
            format!("Firehose {name} under account {account} not found."),
        ),
        DeliveryError::Exists(name) => ApiError::of(
            &shapes::RESOURCE_IN_USE_EXCEPTION,
            format!("Firehose {name} under accountId {account} already exists"),
        ),
        DeliveryError::TooMany(count) => ApiError::of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            format!("Account {account} has {count} delivery streams, which is the limit."),
        ),
        DeliveryError::OtherVersion {
            name,
            version,
            expected,
        } => ApiError::of(
            &shapes::CONCURRENT_MODIFICATION_EXCEPTION,
            format!(
                "Cannot update firehose: {name} since the current version id: {version} and specified version id: {expected} do not match"
            ),
        ),
        DeliveryError::TooManyTags => {
            invalid_argument("A delivery stream cannot have more than 50 tags.")
        }
        DeliveryError::Prefix(error) => prefix(error),
        DeliveryError::NotDirect(_) => invalid_argument(
            "This operation is not permitted on KinesisStreamAsSource delivery stream type.",
        ),
        DeliveryError::EncryptionChangedTooOften(name) => ApiError::of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            format!(
                "The encryption of delivery stream {name} was started and stopped 25 times in the last 24 hours."
            ),
        ),
        DeliveryError::TooLarge => invalid_argument("Records size exceeds 4 MB limit"),
        DeliveryError::Throttled(_) => slow_down(),
        DeliveryError::Unavailable(error) => {
            tracing::warn!(%error, "records are refused");
            slow_down()
        }
        // Streams have places for as many as one likes.
        error @ (DeliveryError::NoPlace(_)
        | DeliveryError::Conflict(_)
        | DeliveryError::Source(_)
        | DeliveryError::Catalog(_)) => ApiError::internal(error),
    }
}

/// The same for a call that named a stream to read.
pub(crate) fn source_api(
    error: DeliveryError,
    stream: Option<&Arn>,
    context: &Context,
) -> ApiError {
    match (error, stream.and_then(|arn| arn.name_of("stream"))) {
        (DeliveryError::Source(SourceError::NotFound(_)), Some(name)) => {
            let account = &context.account.0;
            invalid_argument(format!("Stream {name} under account {account} not found."))
        }
        (error, _) => api(error, context),
    }
}

/// The error in a prefix; the typing error is AWS's own.
fn prefix(error: PrefixError) -> ApiError {
    let member = |which| match which {
        PrefixKind::Data => "Prefix",
        PrefixKind::Errors => "ErrorOutputPrefix",
    };
    let constraint = match error {
        PrefixError::ErrorPrefixMissing => {
            "ErrorOutputPrefix cannot be null or empty when Prefix contains expressions".to_owned()
        }
        PrefixError::ErrorTypeMissing => {
            "ErrorOutputPrefix must contain at least one occurrence of !{firehose:error-output-type}"
                .to_owned()
        }
        PrefixError::ErrorTypeMisplaced => {
            "Prefix must not contain any occurrence of !{firehose:error-output-type}".to_owned()
        }
        PrefixError::Usage(_) => "Invalid expression usage".to_owned(),
        PrefixError::Namespace(name) => {
            format!("Namespace to the left of colon ({name}) is an invalid keyword!")
        }
        PrefixError::Pattern(_, PatternError::Unsupported(letter)) => {
            return ApiError::not_supported(format_args!(
                "the pattern letter {letter} in a timestamp expression"
            ));
        }
        PrefixError::Value(which, _) | PrefixError::Pattern(which, _) => {
            format!("Invalid conversion character used in the value of the expression in {}", member(which))
        }
        PrefixError::NotPartitioned => {
            return invalid_argument(
                "Dynamic Partitioning Namespaces can only be part of a prefix expression when Dynamic Partitioning is \
                 enabled.",
            );
        }
        PrefixError::NoPartitionKeys => {
            return invalid_argument(
                "S3 Prefix should contain Dynamic Partitioning namespaces when Dynamic Partitioning is enabled",
            );
        }
        PrefixError::TooLong(which) => {
            let what = if which == PrefixKind::Data { "prefix" } else { "ErrorOutputPrefix" };
            format!("Length of evaluated {what} cannot be greater than {PREFIX_BYTES_MAX}")
        }
        PrefixError::Template(text) => return invalid_argument(text),
        PrefixError::Zone(name) => {
            return invalid_argument(format!("CustomTimeZone {name} is not a time zone."));
        }
    };
    invalid_argument(format!(
        "Ths supplied prefix(es) do not satisfy the following constraint: {constraint}"
    ))
}
