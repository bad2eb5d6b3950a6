//! Which stream and which shard a request means.

use std::sync::Arc;

use headwater_queues::QueueRecord;
use headwater_streams::{Consumer, Error, Shard, Stream};
use headwater_types::{Arn, Millis, ShardIndex, StreamName};
use headwater_wire::{ApiError, Context};

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument, no_stream, not_found},
};

/// The members that name a stream, in every operation on one.
pub(crate) struct Place {
    /// `StreamName`.
    pub name: Option<String>,
    /// `StreamARN`.
    pub arn: Option<String>,
    /// `StreamId`, which the model reserves for the future.
    pub id: Option<String>,
}

impl Place {
    /// The stream that an ARN alone names.
    pub fn of_arn(arn: String, id: Option<String>) -> Self {
        Self {
            name: None,
            arn: Some(arn),
            id,
        }
    }

    /// The name of the stream that is meant; name and ARN may both be given, and then agree. A name alone is that of a
    /// stream of the caller's account.
    pub fn name(self, context: &Context) -> Result<StreamName, ApiError> {
        no_id(&self.id)?;
        let by_arn = self.arn.map(|arn| name_in_arn(&arn, context)).transpose()?;
        match (
            self.name.map(|name| stream_name(&name)).transpose()?,
            by_arn,
        ) {
            (Some(name), Some(by_arn)) if name != by_arn => Err(invalid_argument(
                "StreamName and StreamARN do not name the same stream.",
            )),
            (Some(name), None) if context.is_foreign() => {
                Err(no_stream(&name, &context.caller.account.0))
            }
            (Some(name), _) | (None, Some(name)) => Ok(name),
            (None, None) => Err(invalid_argument(
                "Either StreamName or StreamARN must be provided.",
            )),
        }
    }
}

/// Refuses a `StreamId`.
pub(crate) fn no_id(id: &Option<String>) -> Result<(), ApiError> {
    match id {
        Some(_) => Err(ApiError::not_supported(
            "StreamId, which AWS reserves: name the stream by StreamName or StreamARN",
        )),
        None => Ok(()),
    }
}

/// The ARN of the stream that an input names, whether or not there is one.
pub(crate) fn arn(name: &Option<String>, arn: &Option<String>, context: &Context) -> String {
    match (arn, name) {
        (Some(arn), _) => arn.clone(),
        (None, name) => {
            let (region, account) = (&context.region.0, &context.account.0);
            let name = name.as_deref().unwrap_or("*");
            format!("arn:aws:kinesis:{region}:{account}:stream/{name}")
        }
    }
}

/// The members that name a consumer.
pub(crate) struct ConsumerPlace {
    /// `StreamARN`.
    pub stream_arn: Option<String>,
    /// `ConsumerName`.
    pub name: Option<String>,
    /// `ConsumerARN`.
    pub arn: Option<String>,
    /// `StreamId`, which the model reserves for the future.
    pub id: Option<String>,
}

/// The parts of a consumer's ARN.
struct ConsumerArn {
    stream: StreamName,
    name: String,
    created: Millis,
}

impl ConsumerArn {
    /// `arn:aws:kinesis:region:account:stream/name/consumer/name:seconds`.
    fn read(text: &str, context: &Context) -> Result<Self, ApiError> {
        let invalid = || invalid_argument(format!("Invalid ConsumerARN: {text}"));
        let arn: Arn = text.parse().map_err(|_| invalid())?;
        let parts = arn
            .name_of("stream")
            .and_then(|rest| rest.split_once("/consumer/"));
        let (stream, rest) = parts.ok_or_else(invalid)?;
        let (name, seconds) = rest.rsplit_once(':').ok_or_else(invalid)?;
        let stream: StreamName = stream.parse().map_err(|_| invalid())?;
        let seconds: u64 = seconds.parse().map_err(|_| invalid())?;
        if arn.service != "kinesis" {
            return Err(invalid());
        }
        if arn.account != context.account.0 || arn.region != context.region.0 {
            return Err(errors::no_consumer(name, &arn.account));
        }
        Ok(Self {
            stream,
            name: name.to_owned(),
            created: Millis(seconds.saturating_mul(1000)),
        })
    }
}

impl Kinesis {
    /// The consumer that is meant, and its stream. Its ARN, or its name with the stream's ARN; what is given agrees.
    pub(crate) fn consumer(
        &self,
        place: ConsumerPlace,
        context: &Context,
    ) -> Result<(Arc<Stream>, Consumer), ApiError> {
        let by_arn = place
            .arn
            .map(|arn| ConsumerArn::read(&arn, context))
            .transpose()?;
        let stream = match (place.stream_arn, &by_arn) {
            (None, Some(arn)) => Place::of_arn(describe::arn_of(&arn.stream, context), place.id),
            (Some(stream), _) => Place::of_arn(stream, place.id),
            (None, None) => return Err(unnamed_consumer()),
        };
        let name = stream.name(context)?;
        let Some(wanted) = place.name.as_ref().or(by_arn.as_ref().map(|arn| &arn.name)) else {
            return Err(unnamed_consumer());
        };
        if by_arn
            .as_ref()
            .is_some_and(|arn| arn.stream != name || arn.name != *wanted)
        {
            return Err(invalid_argument(
                "StreamARN, ConsumerName and ConsumerARN do not name the same consumer.",
            ));
        }
        let found = self.find_consumer(&name, wanted, by_arn.as_ref().map(|arn| arn.created));
        self.permit_consumer(
            &name,
            wanted,
            found.as_ref().ok().map(|(_, consumer)| consumer),
            context,
        )?;
        found.map_err(|error| errors::api(error, context))
    }

    /// The consumer of that name, and its stream; registered at that time, where it is known.
    fn find_consumer(
        &self,
        stream: &StreamName,
        consumer: &str,
        created: Option<Millis>,
    ) -> Result<(Arc<Stream>, Consumer), Error> {
        let found = self.streams.get(stream)?;
        let registered = found.consumer(consumer)?;
        if created.is_some_and(|created| created != registered.created) {
            return Err(Error::NoConsumer {
                stream: stream.clone(),
                consumer: consumer.to_owned(),
            });
        }
        Ok((found, registered))
    }

    /// The stream that is meant.
    pub(crate) fn stream(&self, place: Place, context: &Context) -> Result<Arc<Stream>, ApiError> {
        let name = place.name(context)?;
        let found = self.streams.get(&name);
        self.permit_stream(&name, found.as_deref().ok(), context)?;
        found.map_err(|error| errors::api(error, context))
    }
}

/// A resource of this service that an ARN names.
pub(crate) enum Resource {
    /// A stream.
    Stream(Arc<Stream>),
    /// A consumer of a stream.
    Consumer(Arc<Stream>, Consumer),
    /// A queue.
    Queue(QueueRecord),
}

impl Kinesis {
    /// The stream, the consumer or the queue that an ARN names.
    pub(crate) fn owned(
        &self,
        arn: String,
        id: Option<String>,
        context: &Context,
    ) -> Result<Resource, ApiError> {
        if arn.contains(":queue/") {
            no_id(&id)?;
            return self.queue(&arn, context).map(Resource::Queue);
        }
        if !arn.contains("/consumer/") {
            return self
                .stream(Place::of_arn(arn, id), context)
                .map(Resource::Stream);
        }
        let place = ConsumerPlace {
            stream_arn: None,
            name: None,
            arn: Some(arn),
            id,
        };
        self.consumer(place, context)
            .map(|(stream, consumer)| Resource::Consumer(stream, consumer))
    }
}

fn unnamed_consumer() -> ApiError {
    invalid_argument("Either ConsumerARN, or StreamARN and ConsumerName must be provided.")
}

/// A text that the model's pattern has passed already.
pub(crate) fn stream_name(text: &str) -> Result<StreamName, ApiError> {
    text.parse()
        .map_err(|_| invalid_argument(format!("Invalid StreamName: {text}")))
}

fn name_in_arn(text: &str, context: &Context) -> Result<StreamName, ApiError> {
    let invalid = || invalid_argument(format!("Invalid StreamARN: {text}"));
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    let name: StreamName = arn
        .name_of("stream")
        .and_then(|name| name.parse().ok())
        .ok_or_else(invalid)?;
    if arn.service != "kinesis" {
        return Err(invalid());
    }
    if arn.account != context.account.0 || arn.region != context.region.0 {
        return Err(no_stream(&name, &arn.account));
    }
    Ok(name)
}

/// A shard id as AWS reads it: the number after the last `-`, whatever stands before it.
pub(crate) fn shard_index(
    text: &str,
    stream: &StreamName,
    context: &Context,
) -> Result<ShardIndex, ApiError> {
    let digits = text.rsplit_once('-').map_or(text, |(_, digits)| digits);
    let number = digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse::<i32>().ok())
        .flatten();
    number
        .map(|number| ShardIndex(number.unsigned_abs()))
        .ok_or_else(|| {
            let account = &context.account.0;
            not_found(format!(
                "Could not find shard {text} in stream {stream} under account {account}."
            ))
        })
}

/// The shard of a stream that an index names.
pub(crate) fn shard<'a>(
    stream: &'a Stream,
    index: ShardIndex,
    context: &Context,
) -> Result<&'a Arc<Shard>, ApiError> {
    stream
        .shard(index)
        .map_err(|error| errors::api(error, context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    #[test]
    fn shard_ids_are_read_as_on_aws() {
        let name: StreamName = "s".parse().unwrap();
        let read = |text: &str| shard_index(text, &name, &context()).map(|index| index.0);
        assert_eq!(read("shardId-000000000003"), Ok(3));
        assert_eq!(read("anything-2147483647"), Ok(2_147_483_647));
        assert_eq!(read("7"), Ok(7));
        for bad in ["ABKLFD8", "2147483648", "2.14E4", "shardId-", "-"] {
            let error = read(bad).unwrap_err();
            let text =
                format!("Could not find shard {bad} in stream s under account 000000000000.");
            assert_eq!(
                (error.code(), error.message()),
                ("ResourceNotFoundException", text.as_str())
            );
        }
    }

    #[test]
    fn a_stream_is_named_by_name_or_arn_or_both() {
        let arn = |rest: &str| Some(format!("arn:aws:kinesis:{rest}"));
        let name = |name: Option<&str>, arn| {
            Place {
                name: name.map(str::to_owned),
                arn,
                id: None,
            }
            .name(&context())
            .map(|n| n.to_string())
        };
        let ours = || arn("us-east-1:000000000000:stream/s");
        assert_eq!(name(Some("s"), None), Ok("s".to_owned()));
        assert_eq!(name(None, ours()), Ok("s".to_owned()));
        assert_eq!(name(Some("s"), ours()), Ok("s".to_owned()));
        assert_eq!(
            name(Some("t"), ours()).unwrap_err().code(),
            "InvalidArgumentException"
        );
        assert_eq!(
            name(None, None).unwrap_err().code(),
            "InvalidArgumentException"
        );
        let id = Some("a".repeat(20) + "-abc");
        let by_id = Place {
            name: None,
            arn: ours(),
            id,
        }
        .name(&context())
        .unwrap_err();
        assert!(
            by_id.code() == "NotImplemented" && by_id.message().contains("StreamId"),
            "{by_id}"
        );
        let foreign = name(None, arn("us-east-1:111111111111:stream/s")).unwrap_err();
        assert_eq!(
            foreign.message(),
            "Stream s under account 111111111111 not found."
        );
        assert!(name(None, arn("us-east-1:000000000000:stream/a/b")).is_err());
    }
}
