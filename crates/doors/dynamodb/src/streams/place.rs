//! Streams by their ARNs, and the positions of readers as texts: `<stream's ARN>|<n>|<token>`, as AWS's are.

use headwater_tables::{Error, ShardId, StreamIterator, TableStream, TokenError};
use headwater_types::Millis;
use headwater_wire::{ApiError, Context};
use jiff::civil::DateTime;

use super::errors::{expired, invalid_arn, invalid_iterator, no_stream};
use crate::{
    Dynamo,
    place::{label, stream_arn},
};

/// The middle of an iterator.
const MIDDLE: &str = "|1|";

/// A stream as its ARN names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    /// The whole ARN.
    pub arn: &'a str,
    /// Its table's name.
    pub table: &'a str,
    /// Its label.
    pub label: Millis,
}

impl<'a> Named<'a> {
    /// The stream that an ARN names; one of another region or account is none of ours.
    pub fn read(arn: &'a str, context: &Context) -> Result<Self, ApiError> {
        let read = || {
            let mut parts = arn.splitn(6, ':');
            let start = [parts.next()?, parts.next()?, parts.next()?];
            let (region, account) = (parts.next()?, parts.next()?);
            let (table, label) = table_and_label(parts.next()?)?;
            let is_ours = region == context.region.0 && account == context.account.0;
            (start == ["arn", "aws", "dynamodb"]).then_some((table, label, is_ours))
        };
        match read().ok_or_else(invalid_arn)? {
            (table, label, true) => Ok(Self { arn, table, label }),
            (_, _, false) => Err(no_stream(arn)),
        }
    }
}

/// The table and the label in the last part of a stream's ARN.
pub fn table_and_label(resource: &str) -> Option<(&str, Millis)> {
    let (table, label) = resource.strip_prefix("table/")?.split_once("/stream/")?;
    Some((table, read_label(label)?))
}

/// The time that a label is.
fn read_label(text: &str) -> Option<Millis> {
    let time: DateTime = text.parse().ok()?;
    let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let time = Millis(u64::try_from(time.timestamp().as_millisecond()).ok()?);
    (label(time) == text).then_some(time)
}

/// The ARN in an iterator; nothing where there is none.
pub(crate) fn arn_of_iterator(iterator: &str) -> &str {
    iterator.split('|').next().unwrap_or_default()
}

/// An iterator: the position of a reader in a shard.
pub(crate) fn iterator(
    stream: &TableStream,
    named: &Named<'_>,
    shard: ShardId,
    offset: u64,
    context: &Context,
) -> String {
    let arn = stream_arn(named.table, &label(named.label), context);
    format!("{arn}{MIDDLE}{}", stream.iterator(shard, offset))
}

impl Dynamo {
    /// The stream with this name.
    pub(crate) fn stream(&self, named: &Named<'_>) -> Result<TableStream, ApiError> {
        let stream = self.tables.stream(named.table, named.label);
        stream.map_err(|_| no_stream(named.arn))
    }

    /// The stream and the position of an iterator.
    pub(crate) fn open_iterator(
        &self,
        iterator: &str,
        named: &Named<'_>,
    ) -> Result<(TableStream, StreamIterator), ApiError> {
        let token = iterator.strip_prefix(named.arn);
        let token = token.and_then(|rest| rest.strip_prefix(MIDDLE));
        let opened = self
            .tables
            .open_iterator(token.ok_or_else(invalid_iterator)?);
        let position = opened.map_err(|error| match error {
            Error::Position(TokenError::Expired { .. }) => expired(),
            _ => invalid_iterator(),
        })?;
        let stream = self.stream(named)?;
        // A table that was made later under the same name is another.
        match (position.table, position.label) == (stream.table(), named.label) {
            true => Ok((stream, position)),
            false => Err(no_stream(named.arn)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;

    const LABEL: &str = "2023-11-14T22:13:20.007";

    #[test]
    fn streams_are_named_by_arns() {
        let context = context();
        let arn = stream_arn("taxi", LABEL, &context);
        let named = Named::read(&arn, &context).unwrap();
        assert_eq!(
            (named.table, named.label),
            ("taxi", Millis(1_700_000_000_007))
        );
        let elsewhere = arn.replace("us-east-1", "eu-west-1");
        let refused = Named::read(&elsewhere, &context).unwrap_err();
        let text = format!("Requested resource not found: Stream: {elsewhere} not found");
        assert_eq!(
            (refused.code(), refused.message()),
            ("ResourceNotFoundException", &*text)
        );
        for wrong in [
            "",
            "sdfadfsdfnlfkajakfgjalksfgklasjklasdjfklasdfasdfgasf",
            "arn:aws:dynamodb:us-east-1:000000000000:table/taxi",
            &arn.replace("007", "7"),
            &arn.replace("20.007", "20.007Z"),
        ] {
            let refused = Named::read(wrong, &context).unwrap_err();
            assert_eq!(
                (refused.code(), refused.message()),
                ("ValidationException", "Invalid StreamArn")
            );
        }
    }

    #[test]
    fn an_iterator_begins_with_its_streams_arn() {
        assert_eq!(arn_of_iterator("arn:a|1|AAA="), "arn:a");
        assert_eq!(arn_of_iterator(""), "");
    }
}
