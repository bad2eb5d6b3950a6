//! Which source a mapping is to read.

use headwater_functions::Options;
use headwater_types::Arn;
use headwater_wire::ApiError;

use crate::errors::invalid_parameter;

/// A source: a stream, or a registered consumer of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// As it is named.
    pub named: Arn,
    /// The stream that this means.
    pub stream: Arn,
}

/// The source that `arn` names on a server with these options. Sources of services that are not read are refused by
/// their name.
pub(crate) fn source_of(arn: Option<&str>, options: &Options) -> Result<Source, ApiError> {
    let unknown = || invalid_parameter("Unrecognized event source.");
    let named: Arn = arn.ok_or_else(unknown)?.parse().map_err(|_| unknown())?;
    match &*named.service {
        "kinesis" => {}
        "dynamodb" | "sqs" | "kafka" | "mq" | "rds" => {
            let service = &named.service;
            return Err(ApiError::not_supported(format!(
                "EventSourceArn of {service}"
            )));
        }
        _ => return Err(unknown()),
    }
    let stream = named
        .resource
        .split('/')
        .take(2)
        .collect::<Vec<_>>()
        .join("/");
    let is_here = named.region == options.region.0 && named.account == options.account.0;
    if !is_here || !stream.starts_with("stream/") {
        return Err(invalid_parameter(format!("Stream not found: {named}")));
    }
    let stream = Arn::new("kinesis", &options.region, &options.account, stream);
    Ok(Source { named, stream })
}
