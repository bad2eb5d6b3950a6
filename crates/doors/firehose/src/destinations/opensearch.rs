//! OpenSearch destinations: clusters, serverless collections, and clusters under the older name Elasticsearch. They
//! have their settings under the same names, so the first is what the others are read as.

use headwater_delivery::{Destination, OpenSearch, Rotation, Target};
use headwater_shapes::Tree;
use headwater_shapes_firehose::{
    AmazonOpenSearchServerlessDestinationConfiguration,
    AmazonOpenSearchServerlessDestinationDescription, AmazonopensearchserviceBufferingHints,
    AmazonopensearchserviceDestinationConfiguration, AmazonopensearchserviceDestinationDescription,
    AmazonopensearchserviceRetryOptions, DestinationDescription, DocumentIdOptions,
    ElasticsearchDestinationConfiguration,
};
use headwater_wire::ApiError;
use serde_json::Value;

use super::{
    beside::{self, Common},
    configured::Configured,
    update::{merged, read, read_all, rename},
};
use crate::errors::{invalid_argument, refuse};

const SIZE_MIB: i32 = 5;
const INTERVAL_S: i32 = 300;
const RETRY_S: i32 = 300;

/// Which of them a destination is described as; kept with the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Service,
    Serverless,
    Elasticsearch,
}

/// Where the kind is kept in a description.
const KIND: &str = "Kind";

impl Kind {
    /// The kind that a description is of.
    pub(super) fn of(description: &Value) -> Self {
        match description[KIND].as_str() {
            Some("serverless") => Self::Serverless,
            Some("elasticsearch") => Self::Elasticsearch,
            _ => Self::Service,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Serverless => "serverless",
            Self::Elasticsearch => "elasticsearch",
        }
    }
}

/// The destination of a cluster.
pub(super) fn of_service(
    given: AmazonopensearchserviceDestinationConfiguration,
) -> Result<Configured, ApiError> {
    of_configuration(given, Kind::Service)
}

/// The destination of a cluster under its older name.
pub(super) fn of_elasticsearch(
    given: ElasticsearchDestinationConfiguration,
) -> Result<Configured, ApiError> {
    of_configuration(read_all(given.to_value())?, Kind::Elasticsearch)
}

/// The destination of a collection.
pub(super) fn of_serverless(
    given: AmazonOpenSearchServerlessDestinationConfiguration,
) -> Result<Configured, ApiError> {
    let mut given = given.to_value();
    rename(&mut given, "CollectionEndpoint", "ClusterEndpoint");
    // Collections have no such setting.
    given["IndexRotationPeriod"] = "NoRotation".into();
    of_configuration(read_all(given)?, Kind::Serverless)
}

fn of_configuration(
    given: AmazonopensearchserviceDestinationConfiguration,
    kind: Kind,
) -> Result<Configured, ApiError> {
    let AmazonopensearchserviceDestinationConfiguration {
        role_arn,
        domain_arn,
        cluster_endpoint,
        index_name,
        type_name,
        index_rotation_period,
        buffering_hints,
        retry_options,
        s3_backup_mode,
        s3_configuration,
        processing_configuration,
        cloud_watch_logging_options,
        vpc_configuration,
        document_id_options,
    } = given;
    let mode = s3_backup_mode.unwrap_or_else(|| "FailedDocumentsOnly".to_owned());
    refuse(&[
        (vpc_configuration.is_some(), "VpcConfiguration"),
        (
            domain_arn.is_some(),
            "DomainARN (give the domain's address as ClusterEndpoint)",
        ),
    ])?;
    let endpoint_name = if kind == Kind::Serverless {
        "CollectionEndpoint"
    } else {
        "ClusterEndpoint"
    };
    let endpoint = cluster_endpoint;
    let endpoint =
        endpoint.ok_or_else(|| invalid_argument(format!("{endpoint_name} must be specified.")))?;
    check_index(&index_name)?;
    let rotation = index_rotation_period.unwrap_or_else(|| "OneDay".to_owned());
    let ids = document_id_options.map(
        |DocumentIdOptions {
             default_document_id_format,
         }| default_document_id_format,
    );
    let ids = ids.unwrap_or_else(|| "FIREHOSE_DEFAULT".to_owned());
    let AmazonopensearchserviceBufferingHints {
        interval_in_seconds,
        size_in_mbs,
    } = buffering_hints.unwrap_or_default();
    let size = size_in_mbs.unwrap_or(SIZE_MIB);
    let interval = interval_in_seconds.unwrap_or(INTERVAL_S);
    let AmazonopensearchserviceRetryOptions {
        duration_in_seconds,
    } = retry_options.unwrap_or_default();
    let retry = duration_in_seconds.unwrap_or(RETRY_S);
    let target = OpenSearch {
        url: beside::address(endpoint_name, &endpoint, "https:.*")?,
        index: index_name.clone(),
        rotation: rotation_of(&rotation)?,
        type_name: type_name.clone().filter(|name| !name.is_empty()),
        ids: ids == "FIREHOSE_DEFAULT",
        serverless: kind == Kind::Serverless,
        retry_s: retry.unsigned_abs(),
    };
    let common = Common {
        s3: s3_configuration,
        processing: processing_configuration,
        logging: cloud_watch_logging_options,
        keeps_all: mode == "AllDocuments",
    };
    let (destination, common) = common.destination()?;
    let description = AmazonopensearchserviceDestinationDescription {
        role_arn: Some(role_arn),
        cluster_endpoint: Some(endpoint),
        index_name: Some(index_name),
        type_name,
        index_rotation_period: Some(rotation),
        buffering_hints: Some(AmazonopensearchserviceBufferingHints {
            interval_in_seconds: Some(interval),
            size_in_mbs: Some(size),
        }),
        retry_options: Some(AmazonopensearchserviceRetryOptions {
            duration_in_seconds: Some(retry),
        }),
        s3_backup_mode: Some(mode),
        s3_destination_description: Some(common.s3),
        processing_configuration: common.processing,
        cloud_watch_logging_options: Some(common.logging),
        document_id_options: Some(DocumentIdOptions {
            default_document_id_format: ids,
        }),
        ..Default::default()
    };
    let mut description = description.to_value();
    description[KIND] = kind.name().into();
    let buffering = beside::buffering(size, interval);
    let destination = Destination {
        buffering,
        target: Target::OpenSearch(target),
        ..destination
    };
    Ok(Configured {
        destination,
        description,
    })
}

/// OpenSearch's own rules for names of indices.
fn check_index(name: &str) -> Result<(), ApiError> {
    let odd = |c: char| c.is_uppercase() || c.is_whitespace() || "\\/*?\"<>|,#:".contains(c);
    if name.starts_with(['_', '-', '+']) || name.contains(odd) {
        return Err(invalid_argument(format!("Invalid IndexName: {name}")));
    }
    Ok(())
}

fn rotation_of(period: &str) -> Result<Rotation, ApiError> {
    match period {
        "NoRotation" => Ok(Rotation::None),
        "OneHour" => Ok(Rotation::Hour),
        "OneDay" => Ok(Rotation::Day),
        "OneWeek" => Ok(Rotation::Week),
        "OneMonth" => Ok(Rotation::Month),
        other => Err(invalid_argument(format!(
            "Invalid IndexRotationPeriod: {other}"
        ))),
    }
}

/// The destination that was described as `old`, with what an update of its own kind specifies.
pub(super) fn updated(old: &Value, update: &impl Tree) -> Result<Configured, ApiError> {
    let kind = Kind::of(old);
    let mut update = update.to_value();
    // A collection's address has another name.
    rename(&mut update, "CollectionEndpoint", "ClusterEndpoint");
    of_configuration(merged(old.clone(), &update)?, kind)
}

/// The destination as it is described.
pub(super) fn describe(description: &Value) -> Result<DestinationDescription, ApiError> {
    let described = description.clone();
    Ok(match Kind::of(description) {
        Kind::Service => DestinationDescription {
            amazonopensearchservice_destination_description: Some(read(described)?),
            ..Default::default()
        },
        Kind::Elasticsearch => DestinationDescription {
            elasticsearch_destination_description: Some(read(described)?),
            ..Default::default()
        },
        Kind::Serverless => {
            let endpoint = described["ClusterEndpoint"].as_str().map(str::to_owned);
            let collection = AmazonOpenSearchServerlessDestinationDescription {
                collection_endpoint: endpoint,
                ..read(described)?
            };
            DestinationDescription {
                amazon_open_search_serverless_destination_description: Some(collection),
                ..Default::default()
            }
        }
    })
}
