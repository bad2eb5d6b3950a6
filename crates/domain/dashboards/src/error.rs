//! Why a dashboard is not as it was asked to be.

use headwater_catalog::CatalogError;

/// An error of this domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no dashboard of that name.
    #[error("there is no dashboard {0}")]
    NoDashboard(String),
    /// The dashboard would have more tags than it may.
    #[error("a dashboard has at most {} tags", crate::limits::TAGS_MAX)]
    TooManyTags,
    /// Others changed the same dashboard all the while.
    #[error("the dashboard {0} was changed by others again and again")]
    Conflict(String),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}
