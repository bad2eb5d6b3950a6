//! What can go wrong with a mapping.

use headwater_catalog::CatalogError;
use headwater_log::SourceError;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no mapping with this id.
    #[error("there is no mapping {0}")]
    NotFound(String),
    /// A mapping of this source to this function is there already.
    #[error("the mapping {0} is for the same source and function")]
    Exists(String),
    /// There are as many as there may be.
    #[error("there are too many mappings")]
    TooMany,
    /// It would have more tags than it may have.
    #[error("it has too many tags")]
    TooManyTags,
    /// There is no such stream.
    #[error("there is no stream {0}")]
    NoSource(String),
    /// There is no such queue.
    #[error("there is no queue {0}")]
    NoQueue(String),
    /// It would begin at a time that has not come.
    #[error("the mapping would begin in the future")]
    FutureStart,
    /// A filter is no pattern; why.
    #[error("{0}")]
    Filter(String),
    /// A change is refused by those who asked for it; why.
    #[error("{0}")]
    Refused(String),
    /// The stream cannot be read.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// Others changed the same thing again and again.
    #[error("others change the same mapping")]
    Conflict,
    /// The catalog failed.
    #[error("{0}")]
    Catalog(CatalogError),
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Conflict { .. } => Self::Conflict,
            error => Self::Catalog(error),
        }
    }
}
