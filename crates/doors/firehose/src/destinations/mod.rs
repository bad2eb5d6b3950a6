//! Destinations: which one a request names. Each has a file of its own with its settings and its description.

mod beside;
mod configured;
mod conversion;
mod http;
mod opensearch;
mod redshift;
pub(crate) mod s3;
mod splunk;
#[cfg(test)]
mod tests;
mod update;

use headwater_delivery::{StreamRecord, Target};
use headwater_shapes_firehose::{
    CreateDeliveryStreamInput, DestinationDescription, UpdateDestinationInput,
};
use headwater_wire::ApiError;

use self::{configured::Configured, update::read};
use crate::errors::{invalid_argument, refuse};

/// The id of a delivery stream's only destination.
pub(crate) const DESTINATION_ID: &str = "destinationId-000000000001";

/// The one destination of a request.
pub(crate) fn of_request(input: &CreateDeliveryStreamInput) -> Result<Configured, ApiError> {
    refuse(&[
        (
            input.snowflake_destination_configuration.is_some(),
            "SnowflakeDestinationConfiguration (deliver to a bucket and load from there)",
        ),
        (
            input.iceberg_destination_configuration.is_some(),
            "IcebergDestinationConfiguration (deliver Parquet to a bucket)",
        ),
    ])?;
    let input = input.clone();
    let all = [
        input
            .extended_s3_destination_configuration
            .map(|given| Ok(s3::of_configuration(given)?.into_kept())),
        input
            .s3_destination_configuration
            .map(|given| Ok(s3::of_configuration(s3::extended(given))?.into_kept())),
        input
            .http_endpoint_destination_configuration
            .map(http::of_configuration),
        input
            .splunk_destination_configuration
            .map(splunk::of_configuration),
        input
            .amazonopensearchservice_destination_configuration
            .map(opensearch::of_service),
        input
            .amazon_open_search_serverless_destination_configuration
            .map(opensearch::of_serverless),
        input
            .elasticsearch_destination_configuration
            .map(opensearch::of_elasticsearch),
        input
            .redshift_destination_configuration
            .map(redshift::of_configuration),
    ];
    exactly_one(
        "Exactly one destination configuration is supported for a Firehose",
        all,
    )
}

/// The destination of `stream` with what an update specifies.
pub(crate) fn updated(
    stream: &StreamRecord,
    input: &UpdateDestinationInput,
) -> Result<Configured, ApiError> {
    let refused = [
        (
            input.snowflake_destination_update.is_some(),
            "SnowflakeDestinationUpdate",
        ),
        (
            input.iceberg_destination_update.is_some(),
            "IcebergDestinationUpdate",
        ),
    ];
    refuse(&refused)?;
    let input = input.clone();
    let (target, old) = (&stream.destination.target, &stream.description);
    let is = |kind: opensearch::Kind| {
        matches!(target, Target::OpenSearch(_)) && opensearch::Kind::of(old) == kind
    };
    let bucket = |given| match target {
        Target::Bucket => Ok(s3::updated(stream, given)?.into_kept()),
        _ => Err(another_kind()),
    };
    let all = [
        input.extended_s3_destination_update.map(bucket),
        input
            .s3_destination_update
            .map(|given| bucket(s3::extended_update(given))),
        input
            .http_endpoint_destination_update
            .map(|update| match target {
                Target::Http(endpoint) => http::updated(old, endpoint, &update),
                _ => Err(another_kind()),
            }),
        input.splunk_destination_update.map(|update| match target {
            Target::Splunk(splunk) => splunk::updated(old, splunk, &update),
            _ => Err(another_kind()),
        }),
        input
            .redshift_destination_update
            .map(|update| match target {
                Target::Redshift(redshift) => redshift::updated(old, redshift, &update),
                _ => Err(another_kind()),
            }),
        input
            .amazonopensearchservice_destination_update
            .map(|update| {
                if is(opensearch::Kind::Service) {
                    opensearch::updated(old, &update)
                } else {
                    Err(another_kind())
                }
            }),
        input
            .amazon_open_search_serverless_destination_update
            .map(|update| {
                if is(opensearch::Kind::Serverless) {
                    opensearch::updated(old, &update)
                } else {
                    Err(another_kind())
                }
            }),
        input.elasticsearch_destination_update.map(|update| {
            if is(opensearch::Kind::Elasticsearch) {
                opensearch::updated(old, &update)
            } else {
                Err(another_kind())
            }
        }),
    ];
    exactly_one(
        "Exactly one destination update is supported for a Firehose",
        all,
    )
}

fn another_kind() -> ApiError {
    ApiError::not_supported("an update to another kind of destination")
}

/// The destination of a delivery stream as it is described.
pub(crate) fn describe(stream: &StreamRecord) -> Result<DestinationDescription, ApiError> {
    let described = || stream.description.clone();
    let none = DestinationDescription::default();
    let description = match stream.destination.target {
        Target::Bucket => s3::describe(stream)?,
        Target::Http(_) => DestinationDescription {
            http_endpoint_destination_description: Some(read(described())?),
            ..none
        },
        Target::Splunk(_) => DestinationDescription {
            splunk_destination_description: Some(read(described())?),
            ..none
        },
        Target::OpenSearch(_) => opensearch::describe(&stream.description)?,
        Target::Redshift(_) => DestinationDescription {
            redshift_destination_description: Some(read(described())?),
            ..none
        },
    };
    Ok(DestinationDescription {
        destination_id: DESTINATION_ID.to_owned(),
        ..description
    })
}

fn exactly_one<const N: usize>(
    text: &str,
    given: [Option<Result<Configured, ApiError>>; N],
) -> Result<Configured, ApiError> {
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some(only), None) => only,
        _ => Err(invalid_argument(text)),
    }
}
