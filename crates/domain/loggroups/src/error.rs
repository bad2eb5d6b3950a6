//! The errors of log groups.

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};

/// Why events were not kept or found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such log group.
    #[error("there is no log group {0}")]
    NoGroup(String),
    /// There is no such log stream.
    #[error("there is no log stream {0}")]
    NoStream(String),
    /// There is a log group of this name.
    #[error("there is a log group {0} already")]
    GroupExists(String),
    /// There is a log stream of this name.
    #[error("there is a log stream {0} already")]
    StreamExists(String),
    /// There is no such subscription.
    #[error("there is no subscription {0}")]
    NoSubscription(String),
    /// There is no such metric filter.
    #[error("there is no metric filter {0}")]
    NoMetricFilter(String),
    /// There are as many of a group, or at a time, as there may be.
    #[error("there are as many as there may be: {0}")]
    TooMany(usize),
    /// The group may not have so many tags.
    #[error("a log group has at most {0} tags")]
    TooManyTags(usize),
    /// The destination of a subscription does not take messages; why.
    #[error("{0}")]
    Destination(String),
    /// A metric filter's values cannot be made so; why.
    #[error("{0}")]
    Transformation(String),
    /// Nothing that is needed for it was opened with the log groups.
    #[error("this server has no {0}")]
    Missing(&'static str),
    /// Other changes of the log group came first, again and again.
    #[error("the log group {0} is being changed by other calls")]
    Conflict(String),
    /// The events of a put are not in the order of their times.
    #[error("the events are not in chronological order")]
    OutOfOrder,
    /// The events of a put are further apart than allowed.
    #[error("the events of one put span more than 24 hours")]
    SpanTooLong,
    /// A put is too large.
    #[error("{size} bytes are more than the {max} that one put may have")]
    PutTooLarge {
        /// Bytes as AWS counts them.
        size: usize,
        /// The most.
        max: usize,
    },
    /// A token is not one of ours, or of another search.
    #[error("the token is not valid here")]
    Token,
    /// A filter pattern is not one, or of a kind that is not supported.
    #[error("{0}")]
    Pattern(String),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Log(error) => Self::Log(error),
            // Groups' shards are never sealed, and opened with the group.
            AppendError::Sealed => Self::Log(LogError::Closed),
            AppendError::Unknown(shard) => Self::Log(LogError::Unknown(shard)),
        }
    }
}
