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
