//! What can go wrong with a topic.

use headwater_catalog::CatalogError;
use headwater_log::{AppendError, LogError};

use crate::FilterFault;

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is no topic with this name.
    #[error("there is no topic {0}")]
    NoTopic(String),
    /// There is no subscription with this id.
    #[error("there is no subscription {0}")]
    NoSubscription(String),
    /// A topic of this name has other attributes.
    #[error("the topic has other attributes")]
    OtherAttributes,
    /// A topic of this name has other tags.
    #[error("the topic has other tags")]
    OtherTags,
    /// The endpoint has a subscription with other attributes.
    #[error("the subscription has other attributes")]
    OtherSubscription,
    /// There are as many topics as there may be.
    #[error("there are too many topics")]
    TooManyTopics,
    /// There are as many subscriptions as there may be.
    #[error("there are too many subscriptions")]
    TooManySubscriptions,
    /// It would have more tags than it may have.
    #[error("it has too many tags")]
    TooManyTags,
    /// Nothing waits for this token.
    #[error("the token confirms nothing")]
    NoToken,
    /// It may be cancelled by those only who are known.
    #[error("the subscription wants to be cancelled by its owner")]
    NotAuthenticated,
    /// A filter cannot be kept to; why.
    #[error("{0}")]
    Filter(FilterFault),
    /// A change is refused by those who asked for it; why.
    #[error("{0}")]
    Refused(String),
    /// Others changed the same thing again and again.
    #[error("others change the same topic")]
    Conflict,
    /// The catalog failed.
    #[error("{0}")]
    Catalog(CatalogError),
    /// The log failed.
    #[error("{0}")]
    Log(#[from] LogError),
    /// The key that messages are signed with cannot be made or read; why.
    #[error("messages cannot be signed: {0}")]
    Signing(String),
}

impl From<CatalogError> for Error {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Conflict { .. } => Self::Conflict,
            error => Self::Catalog(error),
        }
    }
}

impl From<FilterFault> for Error {
    fn from(fault: FilterFault) -> Self {
        Self::Filter(fault)
    }
}

impl Error {
    /// The error of an append to a topic's shard: one that the log does not know was deleted with its topic.
    pub(crate) fn of_append(error: AppendError, topic: &str) -> Self {
        match error {
            AppendError::Unknown(_) | AppendError::Sealed => Self::NoTopic(topic.to_owned()),
            AppendError::Log(error) => Self::Log(error),
        }
    }
}
