//! Where a reader wants to start, as GetShardIterator and SubscribeToShard say it. Texts as recorded on AWS by
//! kinesalite's tests of the first.

use headwater_shapes::Timestamp;
use headwater_streams::{Error, Shard, Start, Stream};
use headwater_types::{SequenceNumber, ShardIndex};
use headwater_wire::{ApiError, Context};

use crate::{
    Kinesis, describe,
    errors::{self, invalid_argument},
};

/// A position as a request has it.
pub(crate) struct Position<'a> {
    /// The operation, which the errors name.
    pub call: &'static str,
    /// `LATEST` …
    pub kind: &'a str,
    /// A sequence number.
    pub number: Option<&'a str>,
    /// A time. Kinds other than `AT_TIMESTAMP` ignore it, as on AWS as far as that is known: the model says what it is
    /// used with, not that it is refused elsewhere.
    pub time: Option<Timestamp>,
}

impl Kinesis {
    /// The start that is meant in a shard.
    pub(crate) async fn start(
        &self,
        position: &Position<'_>,
        stream: &Stream,
        shard: &Shard,
        context: &Context,
    ) -> Result<Start, ApiError> {
        match (position.kind, position.number) {
            ("TRIM_HORIZON", None) => Ok(Start::TrimHorizon),
            ("LATEST", None) => Ok(Start::Latest),
            ("AT_TIMESTAMP", None) => self.start_time(position),
            ("AT_SEQUENCE_NUMBER", Some(text)) => {
                self.start_number(position.call, text, 0, stream, shard, context)
                    .await
            }
            ("AFTER_SEQUENCE_NUMBER", Some(text)) => {
                self.start_number(position.call, text, 1, stream, shard, context)
                    .await
            }
            (kind, given) => Err(mismatch(kind, given.is_some())),
        }
    }

    fn start_time(&self, position: &Position<'_>) -> Result<Start, ApiError> {
        let time = position.time.map(describe::millis).ok_or_else(|| {
            invalid_argument(
                "Must specify timestampInMillis parameter for iterator of type AT_TIMESTAMP. \
                 Current request has no timestamp parameter.",
            )
        })?;
        let now = self.streams.now();
        if time > now {
            return Err(invalid_argument(format!(
                "The timestampInMillis parameter cannot be greater than the currentTimestampInMillis. \
                 timestampInMillis: {}, currentTimestampInMillis: {}",
                time.0, now.0
            )));
        }
        Ok(Start::Time(time))
    }

    /// The start at a record, or `skip` records after it.
    async fn start_number(
        &self,
        call: &str,
        text: &str,
        skip: u64,
        stream: &Stream,
        shard: &Shard,
        context: &Context,
    ) -> Result<Start, ApiError> {
        let state = self
            .streams
            .state(stream, shard)
            .await
            .map_err(|error: Error| errors::api(error, context))?;
        let invalid = |why: &str| {
            let (index, name, account) =
                (shard.record.index, &stream.record.name, &context.account.0);
            invalid_argument(format!(
                "StartingSequenceNumber {text} used in {call} on shard {index} in stream {name} under \
                 account {account} is invalid{why}."
            ))
        };
        let index = shard.record.index;
        if let Ok(short) = text.parse() {
            return Err(short_number(ShardIndex(short), index));
        }
        let number: SequenceNumber = text.parse().map_err(|_| invalid(""))?;
        if number.shard != index {
            return Err(other_shard(number.shard, index));
        }
        if number.shard_created != shard.record.created.seconds() {
            return Err(invalid(" because it did not come from this stream"));
        }
        match number.offset() {
            // The shard's own first number is before every record.
            None => Ok(Start::Offset(0)),
            Some(_) if shard.last_sequence() == Some(number) => Ok(Start::Offset(state.end)),
            Some(offset) if offset < state.end => Ok(Start::Offset(offset + skip)),
            Some(_) => Err(invalid("")),
        }
    }
}

/// A number of AWS's first form, which was its shard's alone: of another shard it is refused, of the shard itself AWS has
/// no answer.
fn short_number(encoded: ShardIndex, used: ShardIndex) -> ApiError {
    match encoded == used {
        true => ApiError::internal("a sequence number of AWS's first form"),
        false => other_shard(encoded, used),
    }
}

fn other_shard(encoded: ShardIndex, used: ShardIndex) -> ApiError {
    invalid_argument(format!(
        "Invalid StartingSequenceNumber. It encodes {encoded}, while it was used in a call to a shard with {used}"
    ))
}

fn mismatch(kind: &str, given: bool) -> ApiError {
    let had = if given { "also a" } else { "no" };
    invalid_argument(format!(
        "Must either specify (1) AT_SEQUENCE_NUMBER or AFTER_SEQUENCE_NUMBER and StartingSequenceNumber or \
         (2) TRIM_HORIZON or LATEST and no StartingSequenceNumber. \
         Request specified {kind} and {had} StartingSequenceNumber."
    ))
}
