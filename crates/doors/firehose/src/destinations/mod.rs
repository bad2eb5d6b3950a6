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
use headwater_shapes_firehose::{self as shapes, DestinationDescription};
use headwater_wire::ApiError;

use self::{configured::Configured, update::read};
use crate::errors::{invalid_argument, refuse};

/// The id of a delivery stream's only destination.
pub(crate) const DESTINATION_ID: &str = "destinationId-000000000001";

/// The destinations that a request may name.
pub(crate) struct Asked {
    pub extended_s3: Option<shapes::ExtendedS3DestinationConfiguration>,
    pub s3: Option<shapes::S3DestinationConfiguration>,
    pub http: Option<shapes::HttpEndpointDestinationConfiguration>,
    pub splunk: Option<shapes::SplunkDestinationConfiguration>,
    pub opensearch: Option<shapes::AmazonopensearchserviceDestinationConfiguration>,
    pub serverless: Option<shapes::AmazonOpenSearchServerlessDestinationConfiguration>,
    pub elasticsearch: Option<shapes::ElasticsearchDestinationConfiguration>,
    pub redshift: Option<shapes::RedshiftDestinationConfiguration>,
    pub snowflake: Option<shapes::SnowflakeDestinationConfiguration>,
    pub iceberg: Option<shapes::IcebergDestinationConfiguration>,
}

/// The one destination of a request.
pub(crate) fn of_request(asked: Asked) -> Result<Configured, ApiError> {
    refuse(&[
        (
            asked.snowflake.is_some(),
            "SnowflakeDestinationConfiguration (deliver to a bucket and load from there)",
        ),
        (
            asked.iceberg.is_some(),
            "IcebergDestinationConfiguration (deliver Parquet to a bucket)",
        ),
    ])?;
    let all = [
        asked
            .extended_s3
            .map(|given| Ok(s3::of_configuration(given)?.into_kept())),
        asked
            .s3
            .map(|given| Ok(s3::of_configuration(s3::extended(given))?.into_kept())),
        asked.http.map(http::of_configuration),
        asked.splunk.map(splunk::of_configuration),
        asked.opensearch.map(opensearch::of_service),
        asked.serverless.map(opensearch::of_serverless),
        asked.elasticsearch.map(opensearch::of_elasticsearch),
        asked.redshift.map(redshift::of_configuration),
    ];
    exactly_one(
        "Exactly one destination configuration is supported for a Firehose",
        all,
    )
}

/// The updates that a request may name, one a kind of destination.
pub(crate) struct Update {
    pub extended_s3: Option<shapes::ExtendedS3DestinationUpdate>,
    pub s3: Option<shapes::S3DestinationUpdate>,
    pub http: Option<shapes::HttpEndpointDestinationUpdate>,
    pub splunk: Option<shapes::SplunkDestinationUpdate>,
    pub opensearch: Option<shapes::AmazonopensearchserviceDestinationUpdate>,
    pub serverless: Option<shapes::AmazonOpenSearchServerlessDestinationUpdate>,
    pub elasticsearch: Option<shapes::ElasticsearchDestinationUpdate>,
    pub redshift: Option<shapes::RedshiftDestinationUpdate>,
    pub snowflake: Option<shapes::SnowflakeDestinationUpdate>,
    pub iceberg: Option<shapes::IcebergDestinationUpdate>,
}

/// The destination of `stream` with what an update specifies.
pub(crate) fn updated(stream: &StreamRecord, update: Update) -> Result<Configured, ApiError> {
    refuse(&[
        (update.snowflake.is_some(), "SnowflakeDestinationUpdate"),
        (update.iceberg.is_some(), "IcebergDestinationUpdate"),
    ])?;
    let (target, old) = (&stream.destination.target, &stream.description);
    let is = |kind: opensearch::Kind| {
        matches!(target, Target::OpenSearch(_)) && opensearch::Kind::of(old) == kind
    };
    let bucket = |given| match target {
        Target::Bucket => Ok(s3::updated(stream, given)?.into_kept()),
        _ => Err(another_kind()),
    };
    let all = [
        update.extended_s3.map(bucket),
        update.s3.map(|given| bucket(s3::extended_update(given))),
        update.http.map(|given| match target {
            Target::Http(endpoint) => http::updated(old, endpoint, &given),
            _ => Err(another_kind()),
        }),
        update.splunk.map(|given| match target {
            Target::Splunk(splunk) => splunk::updated(old, splunk, &given),
            _ => Err(another_kind()),
        }),
        update.redshift.map(|given| match target {
            Target::Redshift(redshift) => redshift::updated(old, redshift, &given),
            _ => Err(another_kind()),
        }),
        update.opensearch.map(|given| {
            if is(opensearch::Kind::Service) {
                opensearch::updated(old, &given)
            } else {
                Err(another_kind())
            }
        }),
        update.serverless.map(|given| {
            if is(opensearch::Kind::Serverless) {
                opensearch::updated(old, &given)
            } else {
                Err(another_kind())
            }
        }),
        update.elasticsearch.map(|given| {
            if is(opensearch::Kind::Elasticsearch) {
                opensearch::updated(old, &given)
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
