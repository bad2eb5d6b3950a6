//! GetShardIterator.

use headwater_shapes::Timestamp;
use headwater_shapes_dynamodbstreams::{
    GetShardIteratorInput, GetShardIteratorOutput, ops::GetShardIterator,
};
use headwater_tables::Extent;
use headwater_types::Millis;
use headwater_wire::{ApiError, Context, Handle};

use crate::{
    Dynamo,
    errors::validation,
    streams::{
        errors::{api, no_shard, trimmed},
        event::SECOND_MS,
        number::{self, Place},
        place::{Named, iterator},
    },
};

/// The position that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// At the first change of this time or later.
    Time(Millis),
    /// In what the shard has.
    In(Start),
}

/// A position in what a shard has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    Horizon,
    Latest,
    /// At this place.
    At(Place),
    /// Behind it.
    After(Place),
}

impl Handle<GetShardIterator> for Dynamo {
    async fn handle(
        &self,
        input: GetShardIteratorInput,
        context: &Context,
    ) -> Result<GetShardIteratorOutput, ApiError> {
        let GetShardIteratorInput {
            stream_arn,
            shard_id,
            shard_iterator_type,
            sequence_number,
            timestamp,
        } = input;
        let position = position(&shard_iterator_type, sequence_number.as_deref(), timestamp)?;
        if matches!(position, Position::Time(time) if time > self.clock.now()) {
            return Err(validation("Timestamp must not be in the future"));
        }
        let named = Named::read(&stream_arn, context)?;
        let stream = self.stream(&named)?;
        let shard = shard_id.parse().map_err(|_| no_shard())?;
        let failed = |error| api(error, &stream_arn);
        let offset = match position {
            Position::Time(time) => {
                let found = stream.offset_at(shard, second_after(time)).await;
                found.map_err(failed)?
            }
            Position::In(position) => {
                let extent = stream.extent(shard).await.map_err(failed)?;
                start(position, shard.begin, extent)?
            }
        };
        Ok(GetShardIteratorOutput {
            shard_iterator: Some(iterator(&stream, &named, shard, offset, context)),
        })
    }
}

/// The position that a request asks for.
fn position(
    kind: &str,
    number: Option<&str>,
    time: Option<Timestamp>,
) -> Result<Position, ApiError> {
    for (member, is_sent, is_needed) in [
        (
            "SequenceNumber",
            number.is_some(),
            kind.ends_with("_SEQUENCE_NUMBER"),
        ),
        ("Timestamp", time.is_some(), kind == "AT_TIMESTAMP"),
    ] {
        if is_sent != is_needed {
            let must = if is_needed { "must" } else { "must not" };
            let text = format!("{member} {must} be specified for ShardIteratorType {kind}");
            return Err(validation(text));
        }
    }
    if let Some(Timestamp(time)) = time {
        // A time before the epoch is before all changes.
        let time = Millis(u64::try_from(time).unwrap_or_default());
        return Ok(Position::Time(time));
    }
    let place = number.map(|number| {
        let place = number::read(number);
        place.ok_or_else(|| validation(format!("Invalid SequenceNumber: {number}")))
    });
    // `wire` has checked that the kind is one.
    Ok(Position::In(match place.transpose()? {
        Some(place) if kind == "AFTER_SEQUENCE_NUMBER" => Start::After(place),
        Some(place) => Start::At(place),
        None if kind == "LATEST" => Start::Latest,
        None => Start::Horizon,
    }))
}

/// The first whole second that is not before a time: events show the second in which they were made.
fn second_after(time: Millis) -> Millis {
    Millis(time.0.div_ceil(SECOND_MS).saturating_mul(SECOND_MS))
}

/// The offset of a position in a shard that begins at `begin`. Its start, which stays where it is while changes expire, means
/// the oldest change that there is when it is read.
fn start(position: Start, begin: u64, extent: Extent) -> Result<u64, ApiError> {
    let Extent { first, end, .. } = extent;
    let (place, behind) = match position {
        Start::Horizon => return Ok(begin),
        Start::Latest => return Ok(end),
        Start::At(place) => (place, 0),
        Start::After(place) => (place, 1),
    };
    match place {
        Place::Start(offset) if offset == begin => Ok(begin),
        Place::Change(offset) if (begin..end).contains(&offset) => match offset + behind {
            offset if offset < first => Err(trimmed()),
            offset => Ok(offset),
        },
        Place::Start(_) | Place::Change(_) => Err(validation(
            "Invalid SequenceNumber: it is not one of the shard",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENT: Extent = Extent {
        first: 12,
        end: 20,
        ended: false,
    };

    #[test]
    fn positions_are_places_in_the_shard() {
        let at = |position| start(position, 10, EXTENT).map_err(|error| error.code().to_owned());
        assert_eq!(at(Start::Horizon), Ok(10));
        assert_eq!(at(Start::Latest), Ok(20));
        assert_eq!(at(Start::At(Place::Start(10))), Ok(10));
        assert_eq!(at(Start::After(Place::Start(10))), Ok(10));
        assert_eq!(at(Start::At(Place::Change(12))), Ok(12));
        assert_eq!(at(Start::After(Place::Change(11))), Ok(12));
        assert_eq!(at(Start::After(Place::Change(19))), Ok(20));
        let trimmed = Err("TrimmedDataAccessException".to_owned());
        assert_eq!(at(Start::At(Place::Change(11))), trimmed);
        let invalid = Err("ValidationException".to_owned());
        for place in [Place::Start(11), Place::Change(9), Place::Change(20)] {
            assert_eq!(at(Start::At(place)), invalid);
        }
    }

    #[test]
    fn a_kind_goes_with_a_number_a_time_or_neither() {
        let number = Some("100000000000000000001");
        let time = Some(Timestamp(1500));
        let first = Position::In(Start::At(Place::Change(0)));
        assert_eq!(position("AT_SEQUENCE_NUMBER", number, None), Ok(first));
        let then = Position::Time(Millis(1500));
        assert_eq!(position("AT_TIMESTAMP", None, time), Ok(then));
        assert_eq!(second_after(Millis(1500)), Millis(2000));
        assert_eq!(second_after(Millis(2000)), Millis(2000));
        for (kind, number, time) in [
            ("AT_SEQUENCE_NUMBER", None, None),
            ("AFTER_SEQUENCE_NUMBER", None, time),
            ("AT_SEQUENCE_NUMBER", number, time),
            ("AT_TIMESTAMP", None, None),
            ("AT_TIMESTAMP", number, time),
            ("TRIM_HORIZON", number, None),
            ("LATEST", number, None),
            ("LATEST", None, time),
            ("AT_SEQUENCE_NUMBER", Some("sdfsafglldfngjdafnasdfl"), None),
        ] {
            let refused = position(kind, number, time).unwrap_err();
            assert_eq!(refused.code(), "ValidationException", "{kind}");
        }
    }
}
