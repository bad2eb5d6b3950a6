//! Destinations: which one a request names. What each takes, does and tells is in its own file.

pub(crate) mod s3;

use headwater_delivery::{Destination, StreamRecord, Target};
use headwater_shapes::firehose::{CreateDeliveryStreamInput, DestinationDescription, UpdateDestinationInput};
use headwater_wire::ApiError;

use crate::errors::invalid_argument;

/// The id of a delivery stream's only destination.
pub(crate) const DESTINATION_ID: &str = "destinationId-000000000001";

/// The one destination of a request.
pub(crate) fn of_request(input: &CreateDeliveryStreamInput) -> Result<Destination, ApiError> {
    refuse(&[
        (input.redshift_destination_configuration.is_some(), "RedshiftDestinationConfiguration"),
        (input.elasticsearch_destination_configuration.is_some(), "ElasticsearchDestinationConfiguration"),
        (
            input.amazonopensearchservice_destination_configuration.is_some(),
            "AmazonopensearchserviceDestinationConfiguration",
        ),
        (
            input.amazon_open_search_serverless_destination_configuration.is_some(),
            "AmazonOpenSearchServerlessDestinationConfiguration",
        ),
        (input.splunk_destination_configuration.is_some(), "SplunkDestinationConfiguration"),
        (input.http_endpoint_destination_configuration.is_some(), "HttpEndpointDestinationConfiguration"),
        (input.snowflake_destination_configuration.is_some(), "SnowflakeDestinationConfiguration"),
        (input.iceberg_destination_configuration.is_some(), "IcebergDestinationConfiguration"),
    ])?;
    let extended = input.extended_s3_destination_configuration.clone().map(s3::of_configuration);
    let simple =
        input.s3_destination_configuration.clone().map(|given| s3::of_configuration(s3::extended(given)));
    exactly_one("Exactly one destination configuration is supported for a Firehose", [extended, simple])
}

/// The destination of `stream` with what an update specifies.
pub(crate) fn updated(
    stream: &StreamRecord,
    input: &UpdateDestinationInput,
) -> Result<Destination, ApiError> {
    refuse(&[
        (input.redshift_destination_update.is_some(), "RedshiftDestinationUpdate"),
        (input.elasticsearch_destination_update.is_some(), "ElasticsearchDestinationUpdate"),
        (
            input.amazonopensearchservice_destination_update.is_some(),
            "AmazonopensearchserviceDestinationUpdate",
        ),
        (
            input.amazon_open_search_serverless_destination_update.is_some(),
            "AmazonOpenSearchServerlessDestinationUpdate",
        ),
        (input.splunk_destination_update.is_some(), "SplunkDestinationUpdate"),
        (input.http_endpoint_destination_update.is_some(), "HttpEndpointDestinationUpdate"),
        (input.snowflake_destination_update.is_some(), "SnowflakeDestinationUpdate"),
        (input.iceberg_destination_update.is_some(), "IcebergDestinationUpdate"),
    ])?;
    let extended = input.extended_s3_destination_update.clone().map(|given| s3::updated(stream, given));
    let simple =
        input.s3_destination_update.clone().map(|given| s3::updated(stream, s3::extended_update(given)));
    exactly_one("Exactly one destination update is supported for a Firehose", [extended, simple])
}

/// The destination of a delivery stream as it is described.
pub(crate) fn describe(stream: &StreamRecord) -> Result<DestinationDescription, ApiError> {
    let description = match stream.destination.target {
        Target::Bucket => s3::describe(stream)?,
    };
    Ok(DestinationDescription { destination_id: DESTINATION_ID.to_owned(), ..description })
}

fn exactly_one<const N: usize>(
    text: &str,
    given: [Option<Result<Destination, ApiError>>; N],
) -> Result<Destination, ApiError> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(only), None) => only,
        _ => Err(invalid_argument(text)),
    }
}

/// Refuses the first setting that is there.
pub(crate) fn refuse(settings: &[(bool, &str)]) -> Result<(), ApiError> {
    match settings.iter().find(|(there, _)| *there) {
        Some((_, name)) => Err(ApiError::not_supported(name)),
        None => Ok(()),
    }
}
