//! Splunk destinations.

use headwater_delivery::{Destination, HecEndpoint, Secret, Splunk, Target};
use headwater_shapes_firehose::{
    SplunkBufferingHints, SplunkDestinationConfiguration, SplunkDestinationDescription,
    SplunkDestinationUpdate, SplunkRetryOptions,
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
const INTERVAL_S: i32 = 60;
const RETRY_S: i32 = 300;
const ACK_S: i32 = 180;

/// The destination that a configuration makes.
pub(super) fn of_configuration(
    given: SplunkDestinationConfiguration,
) -> Result<Configured, ApiError> {
    let SplunkDestinationConfiguration {
        hec_endpoint,
        hec_endpoint_type,
        hec_token,
        hec_acknowledgment_timeout_in_seconds,
        retry_options,
        s3_backup_mode,
        s3_configuration,
        processing_configuration,
        cloud_watch_logging_options,
        buffering_hints,
        secrets_manager_configuration,
    } = given;
    beside::refuse_common(secrets_manager_configuration.as_ref())?;
    let mode = s3_backup_mode.unwrap_or_else(|| "FailedEventsOnly".to_owned());
    let token = hec_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| invalid_argument("HECToken must be specified."))?;
    if token.bytes().any(|byte| byte.is_ascii_control()) {
        return Err(invalid_argument(
            "The HECToken cannot be sent in a header: it has control characters.",
        ));
    }
    let SplunkBufferingHints {
        interval_in_seconds,
        size_in_mbs,
    } = buffering_hints.unwrap_or_default();
    let size = size_in_mbs.unwrap_or(SIZE_MIB);
    let interval = interval_in_seconds.unwrap_or(INTERVAL_S);
    let SplunkRetryOptions {
        duration_in_seconds,
    } = retry_options.unwrap_or_default();
    let retry = duration_in_seconds.unwrap_or(RETRY_S);
    let ack = hec_acknowledgment_timeout_in_seconds.unwrap_or(ACK_S);
    let member = "splunkDestinationConfiguration.hECEndpoint";
    let target = Splunk {
        url: beside::address(member, &hec_endpoint, "https://.*")?,
        endpoint: match hec_endpoint_type.as_str() {
            "Event" => HecEndpoint::Event,
            _ => HecEndpoint::Raw,
        },
        token: Secret::new(token),
        ack_s: ack.unsigned_abs(),
        retry_s: retry.unsigned_abs(),
    };
    let common = Common {
        s3: s3_configuration,
        processing: processing_configuration,
        logging: cloud_watch_logging_options,
        keeps_all: mode == "AllEvents",
    };
    let (destination, common) = common.destination()?;
    let description = SplunkDestinationDescription {
        hec_endpoint: Some(hec_endpoint),
        hec_endpoint_type: Some(hec_endpoint_type),
        hec_acknowledgment_timeout_in_seconds: Some(ack),
        retry_options: Some(SplunkRetryOptions {
            duration_in_seconds: Some(retry),
        }),
        s3_backup_mode: Some(mode),
        s3_destination_description: Some(common.s3),
        processing_configuration: common.processing,
        cloud_watch_logging_options: Some(common.logging),
        buffering_hints: Some(SplunkBufferingHints {
            interval_in_seconds: Some(interval),
            size_in_mbs: Some(size),
        }),
        ..Default::default()
    };
    let buffering = beside::buffering(size, interval);
    let destination = Destination {
        buffering,
        target: Target::Splunk(target),
        ..destination
    };
    let configured = Configured {
        destination,
        description,
    };
    Ok(configured.into_kept())
}

/// The destination that was described as `old`, with what an update specifies.
pub(super) fn updated(
    old: &Value,
    splunk: &Splunk,
    update: &SplunkDestinationUpdate,
) -> Result<Configured, ApiError> {
    let mut described = old.clone();
    described["HECToken"] = splunk.token.reveal().into();
    of_configuration(merged(described, update)?)
}
