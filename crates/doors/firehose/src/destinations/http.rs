//! HTTP endpoint destinations.

use std::collections::BTreeMap;

use headwater_delivery::{Destination, HttpEndpoint, Secret, Target};
use headwater_shapes_firehose::{
    HttpEndpointBufferingHints, HttpEndpointCommonAttribute, HttpEndpointConfiguration,
    HttpEndpointDescription, HttpEndpointDestinationConfiguration,
    HttpEndpointDestinationDescription, HttpEndpointDestinationUpdate,
    HttpEndpointRequestConfiguration, HttpEndpointRetryOptions,
};
use headwater_wire::ApiError;
use serde_json::Value;

use super::{
    beside::{self, Common},
    configured::Configured,
    update::merged,
};
use crate::errors::invalid_argument;

const SIZE_MIB: i32 = 5;
const INTERVAL_S: i32 = 300;
const RETRY_S: i32 = 300;

/// The destination that a configuration makes.
pub(super) fn of_configuration(
    given: HttpEndpointDestinationConfiguration,
) -> Result<Configured, ApiError> {
    let HttpEndpointDestinationConfiguration {
        endpoint_configuration,
        buffering_hints,
        cloud_watch_logging_options,
        request_configuration,
        processing_configuration,
        role_arn,
        retry_options,
        s3_backup_mode,
        s3_configuration,
        secrets_manager_configuration,
    } = given;
    beside::refuse_common(secrets_manager_configuration.as_ref())?;
    let mode = s3_backup_mode.unwrap_or_else(|| "FailedDataOnly".to_owned());
    let HttpEndpointConfiguration {
        url,
        name,
        access_key,
    } = endpoint_configuration;
    let HttpEndpointRequestConfiguration {
        content_encoding,
        common_attributes,
    } = request_configuration.unwrap_or_default();
    let HttpEndpointBufferingHints {
        size_in_mbs,
        interval_in_seconds,
    } = buffering_hints.unwrap_or_default();
    let size = size_in_mbs.unwrap_or(SIZE_MIB);
    let interval = interval_in_seconds.unwrap_or(INTERVAL_S);
    let HttpEndpointRetryOptions {
        duration_in_seconds,
    } = retry_options.unwrap_or_default();
    let retry = duration_in_seconds.unwrap_or(RETRY_S);
    let encoding = content_encoding.unwrap_or_else(|| "NONE".to_owned());
    let common_attributes = common_attributes.unwrap_or_default();
    let access_key = access_key.unwrap_or_default();
    if access_key.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(invalid_argument(
            "The AccessKey cannot be sent in a header: it has control characters.",
        ));
    }
    let member = "httpEndpointDestinationConfiguration.endpointConfiguration.url";
    let buffering = beside::buffering(size, interval);
    let target = HttpEndpoint {
        url: beside::address(member, &url, "https://.*")?,
        access_key: Secret::new(access_key),
        gzip: encoding == "GZIP",
        attributes: attributes(&common_attributes)?,
        bytes: buffering.bytes() as usize,
        retry_s: retry.unsigned_abs(),
    };
    let common = Common {
        s3: s3_configuration,
        processing: processing_configuration,
        logging: cloud_watch_logging_options,
        keeps_all: mode == "AllData",
    };
    let (destination, common) = common.destination()?;
    let description = HttpEndpointDestinationDescription {
        endpoint_configuration: Some(HttpEndpointDescription {
            url: Some(url),
            name,
        }),
        buffering_hints: Some(HttpEndpointBufferingHints {
            size_in_mbs: Some(size),
            interval_in_seconds: Some(interval),
        }),
        cloud_watch_logging_options: Some(common.logging),
        request_configuration: Some(HttpEndpointRequestConfiguration {
            content_encoding: Some(encoding),
            common_attributes: Some(common_attributes),
        }),
        processing_configuration: common.processing,
        role_arn,
        retry_options: Some(HttpEndpointRetryOptions {
            duration_in_seconds: Some(retry),
        }),
        s3_backup_mode: Some(mode),
        s3_destination_description: Some(common.s3),
        ..Default::default()
    };
    let destination = Destination {
        buffering,
        target: Target::Http(target),
        ..destination
    };
    let configured = Configured {
        destination,
        description,
    };
    Ok(configured.into_kept())
}

fn attributes(given: &[HttpEndpointCommonAttribute]) -> Result<BTreeMap<String, String>, ApiError> {
    let mut attributes = BTreeMap::new();
    for attribute in given {
        let HttpEndpointCommonAttribute {
            attribute_name,
            attribute_value,
        } = attribute;
        let before = attributes.insert(attribute_name.clone(), attribute_value.clone());
        if before.is_some() {
            return Err(invalid_argument(
                "The names of CommonAttributes must differ.",
            ));
        }
    }
    Ok(attributes)
}

/// The destination that was described as `old`, with what an update specifies.
pub(super) fn updated(
    old: &Value,
    endpoint: &HttpEndpoint,
    update: &HttpEndpointDestinationUpdate,
) -> Result<Configured, ApiError> {
    let mut described = old.clone();
    described["EndpointConfiguration"]["AccessKey"] = endpoint.access_key.reveal().into();
    of_configuration(merged(described, update)?)
}
