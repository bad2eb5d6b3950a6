//! The domain's errors in AWS's words. Texts as recorded on AWS by the tests of kinesalite and moto, where those have
//! them.

use headwater_delivery::{DeliveryError, SourceError};
use headwater_log::LogError;
use headwater_shapes::ErrorShape;
use headwater_shapes_kinesis::errors as shapes;
use headwater_streams::{
    Error, MAX_ENCRYPTION_CHANGES, MAX_MODE_CHANGES, MAX_ON_DEMAND_STREAMS, MAX_PUT_BYTES,
    MAX_RETENTION_HOURS, MAX_SCALINGS, MAX_TAGS, MIN_RETENTION_HOURS, PutError, TokenError,
};
use headwater_types::{HashRange, Millis, ShardIndex, StreamName};
use headwater_wire::{ApiError, Context};

use crate::describe;

/// The use of a token that turned out invalid or expired: the errors differ.
#[derive(Clone, Copy)]
pub(crate) enum TokenFor {
    /// A position to read from.
    Records,
    /// The next page of a list.
    Page,
}

/// An argument that the model allows and the service does not.
pub(crate) fn invalid_argument(message: impl Into<String>) -> ApiError {
    ApiError::of(&shapes::INVALID_ARGUMENT_EXCEPTION, message)
}

/// One failed constraint of those that the model no longer states and the service still checks.
pub(crate) fn validation(failed: impl std::fmt::Display) -> ApiError {
    ApiError::new(
        400,
        "ValidationException",
        format!("1 validation error detected: {failed}"),
    )
}

/// No such stream.
pub(crate) fn no_stream(name: &StreamName, account: &str) -> ApiError {
    not_found(format!("Stream {name} under account {account} not found."))
}

/// A stream's shard that is not there.
pub(crate) fn no_shard(stream: &StreamName, shard: ShardIndex, account: &str) -> ApiError {
    not_found(format!(
        "Shard {shard} in stream {stream} under account {account} does not exist"
    ))
}

/// No such channel.
pub(crate) fn no_channel(name: &str, account: &str) -> ApiError {
    not_found(format!("Channel {name} under account {account} not found."))
}

/// An error of a channel's delivery as an answer to a call. AWS's texts are not known.
pub(crate) fn channel(error: DeliveryError, context: &Context) -> ApiError {
    let account = &context.account.0;
    match error {
        DeliveryError::NotFound(name) => no_channel(&name, account),
        DeliveryError::Exists(name) => in_use(format!(
            "Channel {name} under account {account} already exists."
        )),
        DeliveryError::OtherVersion { name, .. } => in_use(format!(
            "Channel {name} under account {account} is being changed by another request."
        )),
        DeliveryError::TooMany(count) => ApiError::of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            format!("Account {account} has {count} channels, which is the limit."),
        ),
        DeliveryError::TooManyTags => {
            invalid_argument(format!("A channel cannot have more than {MAX_TAGS} tags."))
        }
        DeliveryError::Prefix(error) => invalid_argument(error.to_string()),
        DeliveryError::Source(SourceError::NotFound(what)) => {
            not_found(format!("{what} under account {account} not found."))
        }
        error => ApiError::internal(error),
    }
}

/// No such consumer, as moto's tests expect of AWS.
pub(crate) fn no_consumer(consumer: &str, account: &str) -> ApiError {
    not_found(format!("Consumer {consumer}, account {account} not found."))
}

pub(crate) fn not_found(message: String) -> ApiError {
    ApiError::of(&shapes::RESOURCE_NOT_FOUND_EXCEPTION, message)
}

/// A shard to split or merge that is not there.
pub(crate) fn no_shard_to_change(
    stream: &StreamName,
    shard: ShardIndex,
    account: &str,
) -> ApiError {
    not_found(format!(
        "Could not find shard {shard} in stream {stream} under account {account}."
    ))
}

/// A resharding's error as an answer: it has words of its own for a shard that is not there.
pub(crate) fn reshard(error: Error, context: &Context) -> ApiError {
    match error {
        Error::NoShard { stream, shard } => no_shard_to_change(&stream, shard, &context.account.0),
        other => api(other, context),
    }
}

/// The text that a shard over its limits answers with.
fn rate_exceeded(stream: &StreamName, shard: ShardIndex, account: &str) -> String {
    format!("Rate exceeded for shard {shard} in stream {stream} under account {account}.")
}

/// A domain error as an answer to a call.
pub(crate) fn api(error: Error, context: &Context) -> ApiError {
    token_api(error, context, TokenFor::Records)
}

/// The same for a call that was given a token.
pub(crate) fn token_api(error: Error, context: &Context, token: TokenFor) -> ApiError {
    let account = &context.account.0;
    let of = |shape: &ErrorShape, message: String| ApiError::of(shape, message);
    match error {
        Error::NoStream(name) => no_stream(&name, account),
        Error::NoShard { stream, shard } => no_shard(&stream, shard, account),
        Error::StreamExists(name) => in_use(format!(
            "Stream {name} under account {account} already exists."
        )),
        Error::Conflict(name) => in_use(format!(
            "Stream {name} under account {account} is being changed by another request."
        )),
        Error::ShardClosed { .. } | Error::NoSplit { .. } | Error::NotAdjacent { .. } => {
            invalid_argument(resharding(&error, account))
        }
        Error::ScaledTooFar { .. } | Error::ScaledOverQuota { .. } | Error::ScaledTooOften(_) => {
            of(&shapes::LIMIT_EXCEEDED_EXCEPTION, scaling(&error))
        }
        Error::OnDemand(_) | Error::NotOnDemand(_) => {
            of(&shapes::VALIDATION_EXCEPTION, mode(&error, context))
        }
        Error::AutoNeedsOnDemand(_) => invalid_argument(mode(&error, context)),
        Error::ModeChangedTooOften(_)
        | Error::EncryptionChangedTooOften(_)
        | Error::TooManyOnDemand(_) => of(&shapes::LIMIT_EXCEEDED_EXCEPTION, mode(&error, context)),
        Error::NoConsumer { consumer, .. } => no_consumer(&consumer, account),
        Error::HasOtherReaders(name) => in_use(format!(
            "Stream {name} has queues. Delete every queue on it with DeleteQueue before you delete the stream."
        )),
        Error::TooManyConsumers(_) => of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            consumers(&error, context),
        ),
        Error::ConsumerExists { .. } | Error::HasConsumers(_) | Error::Subscribed { .. } => {
            in_use(consumers(&error, context))
        }
        Error::ShardQuota { open, quota, asked } => of(
            &shapes::LIMIT_EXCEEDED_EXCEPTION,
            shard_quota(context, open, quota, asked),
        ),
        Error::TooManyTags(name) => invalid_argument(format!(
            "Failed to add tags to stream {name} under account {account} because a given stream cannot have more \
             than {MAX_TAGS} tags associated with it."
        )),
        Error::RetentionTooShort(_)
        | Error::RetentionTooLong(_)
        | Error::NoIncrease { .. }
        | Error::NoDecrease { .. } => invalid_argument(retention(&error)),
        Error::RecordTooLarge { index, limit, .. } => {
            too_large(&format!("records.{}.member.data", index + 1), limit)
        }
        Error::PutTooLarge(_) => invalid_argument(format!(
            "Records size exceeds {} MB limit",
            MAX_PUT_BYTES >> 20
        )),
        Error::Throttled { stream, shard } => of(
            &shapes::PROVISIONED_THROUGHPUT_EXCEEDED_EXCEPTION,
            rate_exceeded(&stream, shard, account),
        ),
        Error::Token(TokenError::Invalid) => invalid_argument(match token {
            TokenFor::Records => "Invalid ShardIterator.",
            TokenFor::Page => "Invalid NextToken.",
        }),
        Error::Token(TokenError::Expired { issued, now, life }) => {
            expired(token, issued, now, life.as_millis())
        }
        Error::Log(error) => log(&error),
        Error::NumbersExhausted | Error::Undecryptable { .. } | Error::Catalog(_) => {
            ApiError::internal(error)
        }
    }
}

/// A record over its stream's limit; `member` is its data's place in the input.
pub(crate) fn too_large(member: &str, limit: u32) -> ApiError {
    validation(format!(
        "Value at '{member}' failed to satisfy constraint: Member must have length less than or equal to {limit}"
    ))
}

/// Code and text of a record that was not taken, as PutRecords answers.
pub(crate) fn entry(error: &PutError, stream: &StreamName, account: &str) -> (String, String) {
    match error {
        PutError::Throttled(shard) => (
            shapes::PROVISIONED_THROUGHPUT_EXCEEDED_EXCEPTION
                .name
                .to_owned(),
            rate_exceeded(stream, *shard, account),
        ),
        PutError::Closed(_) => (
            "InternalFailure".to_owned(),
            "Internal service failure.".to_owned(),
        ),
        PutError::Log(error) => ("InternalFailure".to_owned(), error.to_string()),
    }
}

/// The same as an answer to a call with one record.
pub(crate) fn put(error: PutError, stream: &StreamName, context: &Context) -> ApiError {
    match error {
        PutError::Throttled(shard) => api(
            Error::Throttled {
                stream: stream.clone(),
                shard,
            },
            context,
        ),
        PutError::Closed(shard) => no_shard(stream, shard, &context.account.0),
        PutError::Log(error) => log(&error),
    }
}

pub(crate) fn in_use(message: String) -> ApiError {
    ApiError::of(&shapes::RESOURCE_IN_USE_EXCEPTION, message)
}

/// The log's errors: clients try again on any 5xx, which is right for a full disk.
fn log(error: &LogError) -> ApiError {
    match error {
        LogError::DiskFull { .. } | LogError::Unreachable(_) | LogError::Closed => {
            ApiError::new(503, "ServiceUnavailable", error.to_string())
        }
        _ => ApiError::internal(error),
    }
}

fn shard_quota(context: &Context, open: u32, quota: u32, asked: u32) -> String {
    format!(
        "This request would exceed the shard limit for the account {account} in {region}. Current shard count for \
         the account: {open}. Limit: {quota}. Number of additional shards that would have resulted from this \
         request: {asked}. Refer to the AWS Service Limits page \
         (http://docs.aws.amazon.com/general/latest/gr/aws_service_limits.html) for current limits and how to \
         request higher limits.",
        account = context.account.0,
        region = context.region.0,
    )
}

/// A split at a key, as it was written, that would leave one side too small.
pub(crate) fn no_split(
    stream: &StreamName,
    shard: ShardIndex,
    range: HashRange,
    at: &str,
    account: &str,
) -> String {
    format!(
        "NewStartingHashKey {at} used in SplitShard() on shard {shard} in stream {stream} under account {account} is \
         not both greater than one plus the shard's StartingHashKey {} and less than the shard's EndingHashKey {}.",
        range.start, range.end
    )
}

fn resharding(error: &Error, account: &str) -> String {
    match error {
        Error::ShardClosed { stream, shard } => format!(
            "Shard {shard} in stream {stream} under account {account} has already been merged or split, and thus is \
             not eligible for merging or splitting."
        ),
        Error::NotAdjacent {
            stream,
            shard,
            adjacent,
        } => format!(
            "Shards {shard} and {adjacent} in stream {stream} under account {account} are not an adjacent pair of \
             shards eligible for merging"
        ),
        Error::NoSplit {
            stream,
            shard,
            range,
            at,
        } => no_split(stream, *shard, *range, &at.to_string(), account),
        other => other.to_string(),
    }
}

/// The texts of errors that depend on the stream's mode. Of AWS's only the last is known, as users quote it.
fn mode(error: &Error, context: &Context) -> String {
    let account = &context.account.0;
    match error {
        Error::OnDemand(stream) => {
            format!(
                "Stream {stream} under account {account} is in ON_DEMAND mode, which scales it by itself."
            )
        }
        Error::NotOnDemand(stream) => {
            format!("Stream {stream} under account {account} is not in ON_DEMAND mode.")
        }
        Error::ModeChangedTooOften(stream) => format!(
            "Stream {stream} under account {account} cannot change its mode more than {MAX_MODE_CHANGES} times in a \
             rolling 24-hour period."
        ),
        Error::AutoNeedsOnDemand(stream) => format!(
            "Stream {stream} under account {account} cannot be in PROVISIONED mode with the record distribution \
             strategy AUTO. Set the strategy to USER_PARTITION_KEY, or use the ON_DEMAND mode."
        ),
        Error::EncryptionChangedTooOften(stream) => format!(
            "The encryption of stream {stream} under account {account} cannot be started, or stopped, more than \
             {MAX_ENCRYPTION_CHANGES} times in a rolling 24-hour period."
        ),
        Error::TooManyOnDemand(count) => format!(
            "This request would exceed the limit on the number of On-Demand streams for the account {account} in {}. \
             Current On-Demand streams count: {count}. Limit: {MAX_ON_DEMAND_STREAMS}.",
            context.region.0
        ),
        other => other.to_string(),
    }
}

/// The texts of errors about consumers; the last, and how the one before it begins, are as users quote them from AWS.
fn consumers(error: &Error, context: &Context) -> String {
    let account = &context.account.0;
    match error {
        Error::ConsumerExists { stream, consumer } => {
            format!(
                "Consumer {consumer} under stream {stream} already exists for account {account}."
            )
        }
        Error::TooManyConsumers(stream) => {
            format!(
                "Stream {stream} under account {account} cannot have more consumers and queues."
            )
        }
        Error::Subscribed {
            stream,
            consumer,
            shard,
        } => format!(
            "Another active subscription exists for this consumer: {consumer}, stream {stream}, shard {shard}"
        ),
        Error::HasConsumers(stream) => format!(
            "DeleteStream can't delete {} because there are consumers associated with this data stream. To delete \
             {stream} anyway, set the EnforceConsumerDeletion parameter to true to force the deletion of all the \
             consumers that are associated with it.",
            describe::arn_of(stream, context)
        ),
        other => other.to_string(),
    }
}

fn scaling(error: &Error) -> String {
    let counts = |open: u32, target: u32| {
        format!("Current open shard count: {open}, Target shard count: {target}")
    };
    match *error {
        Error::ScaledTooFar { open, target } if target > open => format!(
            "UpdateShardCount cannot scale up over double your current open shard count. {}",
            counts(open, target)
        ),
        Error::ScaledTooFar { open, target } => format!(
            "UpdateShardCount cannot scale down below half your current open shard count. {}",
            counts(open, target)
        ),
        Error::ScaledOverQuota {
            open,
            target,
            quota,
        } => format!(
            "Target shard count or number of open shards cannot be greater than {quota}. {}",
            counts(open, target)
        ),
        // No recording of this text is known; the limit is the documented one.
        _ => format!(
            "UpdateShardCount cannot scale a stream more than {MAX_SCALINGS} times in a rolling 24-hour period."
        ),
    }
}

fn retention(error: &Error) -> String {
    let bound = |bound: &str, limit: u32, hours: i64, end: &str| {
        format!(
            "{bound} allowed retention period is {limit} hours. Requested retention period ({hours} hours) is too {end}."
        )
    };
    let against = |stream: &StreamName, hours: u32, asked: u32, order: &str, other: &str| {
        format!(
            "Requested retention period ({asked} hours) for stream {stream} can not be {order} than existing \
             retention period ({hours} hours). Use {other}RetentionPeriod API."
        )
    };
    match error {
        Error::RetentionTooShort(hours) => bound("Minimum", MIN_RETENTION_HOURS, *hours, "short"),
        Error::RetentionTooLong(hours) => bound("Maximum", MAX_RETENTION_HOURS, *hours, "long"),
        Error::NoIncrease {
            stream,
            hours,
            asked,
        } => against(stream, *hours, *asked, "shorter", "Decrease"),
        Error::NoDecrease {
            stream,
            hours,
            asked,
        } => against(stream, *hours, *asked, "longer", "Increase"),
        other => other.to_string(),
    }
}

fn expired(token: TokenFor, issued: Millis, now: Millis, life: u128) -> ApiError {
    let (shape, what, name) = match token {
        TokenFor::Records => (&shapes::EXPIRED_ITERATOR_EXCEPTION, "Iterator", "iterator"),
        TokenFor::Page => (&shapes::EXPIRED_NEXT_TOKEN_EXCEPTION, "NextToken", "token"),
    };
    let (issued, now) = (java_date(issued), java_date(now));
    let message = format!(
        "{what} expired. The {name} was created at time {issued} while right now it is {now} which is further in the \
         future than the tolerated delay of {life} milliseconds."
    );
    ApiError::of(shape, message)
}

/// A time as AWS writes it in this error: `Thu Jan 22 01:22:02 UTC 2015`.
fn java_date(time: Millis) -> String {
    let shown = i64::try_from(time.0)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    shown.map_or_else(
        || format!("{} ms", time.0),
        |time| time.strftime("%a %b %d %H:%M:%S UTC %Y").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_java_does() {
        assert_eq!(
            java_date(Millis(1_421_889_722_123)),
            "Thu Jan 22 01:22:02 UTC 2015"
        );
    }
}
