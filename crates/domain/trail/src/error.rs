//! The errors of the trail.

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};

/// Why events were not found, or a trail was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no such trail.
    #[error("there is no trail {0}")]
    NoTrail(String),
    /// There is a trail of this name.
    #[error("there is a trail {0} already")]
    TrailExists(String),
    /// There are as many trails as there may be.
    #[error("there are {0} trails already")]
    TooManyTrails(usize),
    /// A trail has as many tags as it may have.
    #[error("a trail has at most {0} tags")]
    TooManyTags(usize),
    /// The bucket of a trail does not exist.
    #[error("the bucket {0} does not exist")]
    NoBucket(String),
    /// Logging was stopped and begun again too often.
    #[error("logging of the trail {0} was stopped too often since its last delivery")]
    TooOften(String),
    /// There were too many searches lately.
    #[error("there are too many searches")]
    Throttled,
    /// The bucket could not be asked.
    #[error("{0}")]
    Objects(String),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        Self::Log(log_error(error))
    }
}

/// Why the log took nothing.
pub(crate) fn log_error(error: AppendError) -> LogError {
    match error {
        AppendError::Log(error) => error,
        // The shard is never sealed, and is opened with the trail.
        AppendError::Sealed => LogError::Closed,
        AppendError::Unknown(shard) => LogError::Unknown(shard),
    }
}
