//! Which source a mapping is to read, and where in it that begins.

use headwater_functions::Options;
use headwater_mappings::Start;
use headwater_shapes::Timestamp;
use headwater_types::{Arn, Millis};
use headwater_wire::ApiError;

use super::errors::no_queue;
use crate::errors::invalid_parameter;

/// What a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Stream,
    /// The stream of a table's changes.
    Changes,
    Queue,
    /// A queue that keeps the order of its groups.
    FifoQueue,
}

impl Kind {
    /// Whether it is a stream, of whatever.
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Stream | Self::Changes)
    }
}

/// A source: a stream, a registered consumer of one, or a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// As it is named.
    pub named: Arn,
    /// The stream that this means, or the queue.
    pub stream: Arn,
    pub kind: Kind,
}

/// The source that `arn` names on a server with these options. Sources of services that are not read are refused by
/// their name.
pub(crate) fn source_of(arn: Option<&str>, options: &Options) -> Result<Source, ApiError> {
    let unknown = || invalid_parameter("Unrecognized event source.");
    let named: Arn = arn.ok_or_else(unknown)?.parse().map_err(|_| unknown())?;
    match &*named.service {
        "kinesis" => stream_of(named, options),
        "sqs" => queue_of(named, options),
        "dynamodb" => changes_of(named, options),
        "kafka" | "mq" | "rds" => {
            let service = &named.service;
            Err(ApiError::not_supported(format!(
                "EventSourceArn of {service}"
            )))
        }
        _ => Err(unknown()),
    }
}

fn is_here(named: &Arn, options: &Options) -> bool {
    named.region == options.region.0 && named.account == options.account.0
}

fn stream_of(named: Arn, options: &Options) -> Result<Source, ApiError> {
    let stream = named
        .resource
        .split('/')
        .take(2)
        .collect::<Vec<_>>()
        .join("/");
    if !is_here(&named, options) || !stream.starts_with("stream/") {
        return Err(invalid_parameter(format!("Stream not found: {named}")));
    }
    let stream = Arn::new("kinesis", &options.region, &options.account, stream);
    Ok(Source {
        named,
        stream,
        kind: Kind::Stream,
    })
}

/// The stream of a table: a table by itself is none.
fn changes_of(named: Arn, options: &Options) -> Result<Source, ApiError> {
    let of_table = named.name_of("table");
    if of_table.is_none_or(|table| !table.contains("/stream/")) {
        return Err(invalid_parameter("Unrecognized event source."));
    }
    match is_here(&named, options) {
        true => Ok(Source {
            stream: named.clone(),
            named,
            kind: Kind::Changes,
        }),
        false => Err(invalid_parameter(format!("Stream not found: {named}"))),
    }
}

fn queue_of(named: Arn, options: &Options) -> Result<Source, ApiError> {
    let kind = kind_of(&named);
    match is_here(&named, options) && !named.resource.is_empty() {
        true => Ok(Source {
            stream: named.clone(),
            named,
            kind,
        }),
        false => Err(no_queue()),
    }
}

/// What a source with this name is.
pub(crate) fn kind_of(source: &Arn) -> Kind {
    match &*source.service {
        "sqs" if source.resource.ends_with(".fifo") => Kind::FifoQueue,
        "sqs" => Kind::Queue,
        "dynamodb" => Kind::Changes,
        _ => Kind::Stream,
    }
}

/// Where a mapping begins: in a stream where the request says, in a queue nowhere. The model's table has checked the word.
pub(crate) fn start_of(
    source: &Source,
    position: Option<&str>,
    time: Option<Timestamp>,
) -> Result<Option<Start>, ApiError> {
    if !source.kind.is_stream() {
        let is_none = position.is_none() && time.is_none();
        return is_none.then_some(None).ok_or_else(|| {
            invalid_parameter("StartingPosition is not valid for SQS event sources.")
        });
    }
    let start = match (position, time) {
        (None, _) => Err(invalid_parameter(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
        )),
        (Some("AT_TIMESTAMP"), _) if source.kind == Kind::Changes => {
            let arn = &source.named;
            Err(invalid_parameter(format!(
                "Unsupported starting position for arn type: {arn}"
            )))
        }
        (Some("AT_TIMESTAMP"), Some(Timestamp(ms))) => {
            Ok(Start::Time(Millis(u64::try_from(ms).unwrap_or(0))))
        }
        (Some("AT_TIMESTAMP"), None) => Err(invalid_parameter(
            "StartingPositionTimestamp is required when StartingPosition is AT_TIMESTAMP.",
        )),
        (_, Some(_)) => Err(invalid_parameter(
            "StartingPositionTimestamp is only allowed when StartingPosition is AT_TIMESTAMP.",
        )),
        (Some("LATEST"), None) => Ok(Start::Latest),
        (Some(_), None) => Ok(Start::TrimHorizon),
    };
    start.map(Some)
}
